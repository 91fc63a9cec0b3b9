import {
  type Attribute,
  createGraph,
  createNode,
  type DType,
  float,
  floats,
  fromNumbers,
  int,
  ints,
  isFloat,
  longs,
  scalar,
  type Tensor,
  tensor,
  text,
  toNumbers,
} from '@espalier/core';
import { describe, expect, test } from 'vitest';
import { runOnnx } from '../../../../test/run-onnx.js';
import { inferShapes } from '../infer-shapes.js';
import { type EvaluatedOp, evaluateNode, evaluators } from './evaluate-node.js';

interface Case {
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly opset?: number;
}

const of = (dtype: DType, shape: readonly number[], ...values: readonly number[]): Tensor =>
  fromNumbers(dtype, shape, values);
const ramp = (shape: readonly number[], from = 0): Tensor =>
  floats(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i),
    shape,
  );
const mixed = floats([-2.5, -1.5, -0.7, -0, 0.3, 0.5, 1.5, 2.5, 3.7, 40]);
const unit = floats([-0.9, -0.5, -0.1, 0, 0.2, 0.99]);
const positive = floats([0.01, 0.5, 1, 1.5, 30]);
const whole = longs([-7, -3, -1, 0, 2, 9]);
const whole32 = of('int32', [6], -7, -3, -1, 0, 2, 9);
const bools = (...values: readonly number[]) => of('bool', [values.length], ...values);
const pair = (a: Tensor, b: Tensor): Case => ({ inputs: [a, b] });
const one = (...each: readonly Tensor[]): readonly Case[] => each.map((x) => ({ inputs: [x] }));
const broadcasts: readonly Case[] = [
  pair(ramp([2, 3], 1), ramp([3], 2)),
  pair(ramp([2, 1, 3], -3), ramp([4, 1], 1)),
  pair(ramp([2, 3], -2), scalar(2)),
];
const integers: readonly Case[] = [pair(whole, longs([2, -2, 3, 5, -4, 4])), pair(whole32, of('int32', [1], -2))];
const comparisons: readonly Case[] = [
  pair(floats([1, 2, Number.NaN, 4]), floats([1, 3, Number.NaN, -4])),
  pair(whole, longs([-7], [])),
  pair(whole32, of('int32', [6], 0, -3, 5, 0, 2, 8)),
];
const axesOf = (...values: readonly number[]) => longs(values);
const reductions: readonly Case[] = [
  { inputs: [ramp([2, 3, 4], 1), axesOf(1)], opset: 18 },
  { inputs: [ramp([2, 3, 4], 1), axesOf(0, -1)], attributes: { keepdims: int(0) }, opset: 18 },
  { inputs: [ramp([2, 3], 1)] },
  { inputs: [ramp([2, 3], 1)], attributes: { noop_with_empty_axes: int(1) }, opset: 18 },
  { inputs: [ramp([2, 3, 4], 1)], attributes: { axes: ints([2]) }, opset: 12 },
];
const logic: readonly Case[] = [pair(bools(0, 0, 1, 1), bools(0, 1, 0, 1)), pair(bools(1, 0), bools(1))];
const bits: readonly Case[] = [pair(whole32, of('int32', [1], 6)), pair(whole, longs([5]))];
const quantized: readonly Case[] = [
  { inputs: [floats([-1000, -1.25, -0.5, 0.25, 0.75, 3.2, 1000]), scalar(0.5), of('uint8', [], 128)] },
  { inputs: [ramp([2, 3, 2], -5), floats([0.5, 0.3, 0.7]), of('int8', [3], 0, 1, -2)], attributes: { axis: int(1) } },
  { inputs: [ramp([2, 3], -2), floats([0.1, 0.2])], attributes: { axis: int(0) } },
  {
    inputs: [ramp([4, 2], -4), floats([0.5, 0.25, 1, 2], [2, 2]), of('int8', [2, 2], 0, 1, 2, 3)],
    attributes: { axis: int(0), block_size: int(2) },
    opset: 21,
  },
  { inputs: [floats([-1e6, -3, 0.4, 70]), scalar(0.5), of('int16', [], -3)], opset: 21 },
];

const cases: Readonly<Record<EvaluatedOp, readonly Case[]>> = {
  Constant: [
    { inputs: [], attributes: { value: { kind: 'tensor', value: ramp([2, 2]) } } },
    { inputs: [], attributes: { value_float: float(1.5) } },
    { inputs: [], attributes: { value_floats: { kind: 'floats', value: [1, 2.5] } } },
    { inputs: [], attributes: { value_int: int(-3) } },
    { inputs: [], attributes: { value_ints: ints([1, 2]) } },
    { inputs: [], attributes: { value_string: text('a') } },
    { inputs: [], attributes: { value_strings: { kind: 'texts', value: ['a', 'b'] } } },
  ],
  ConstantOfShape: [
    { inputs: [longs([2, 3])] },
    { inputs: [longs([2])], attributes: { value: { kind: 'tensor', value: longs([7]) } } },
    { inputs: [longs([0, 3])] },
  ],
  Range: [
    { inputs: [longs([3], []), longs([-4], []), longs([-3], [])] },
    { inputs: [scalar(0.5), scalar(3), scalar(0.75)] },
    { inputs: [longs([3], []), longs([1], []), longs([1], [])] },
  ],
  EyeLike: [
    { inputs: [ramp([3, 4])], attributes: { k: int(1) } },
    { inputs: [ramp([3, 2])], attributes: { k: int(-1), dtype: int(7) } },
  ],
  OneHot: [
    { inputs: [longs([0, 2, -1, 5]), longs([3], []), floats([0, 1])] },
    { inputs: [longs([0, 1, 2, 1], [2, 2]), longs([3]), longs([5, 9])], attributes: { axis: int(1) } },
  ],
  CumSum: [
    { inputs: [ramp([2, 3], 1), longs([1], [])] },
    { inputs: [ramp([2, 3, 2], 1), longs([-2], [])], attributes: { exclusive: int(1), reverse: int(1) } },
    { inputs: [whole, longs([0], [])], attributes: { reverse: int(1) } },
  ],
  Shape: [
    { inputs: [ramp([2, 3, 4])] },
    { inputs: [ramp([2, 3, 4])], attributes: { start: int(-2), end: int(9) } },
    { inputs: [scalar(1)] },
  ],
  Size: one(ramp([2, 3]), scalar(1)),
  Identity: one(ramp([2]), tensor('string', [2], ['a', 'b'])),
  Reshape: [
    { inputs: [ramp([2, 3, 4]), longs([0, -1])] },
    { inputs: [ramp([2, 3]), longs([3, 2, 1])] },
    { inputs: [ramp([0, 3]), longs([3, 0])], attributes: { allowzero: int(1) } },
  ],
  Flatten: [
    { inputs: [ramp([2, 3, 4])] },
    { inputs: [ramp([2, 3, 4])], attributes: { axis: int(-1) } },
    { inputs: [ramp([2, 3])], attributes: { axis: int(0) } },
  ],
  Squeeze: [
    { inputs: [ramp([1, 3, 1]), longs([-1])] },
    { inputs: [ramp([1, 3, 1])] },
    { inputs: [ramp([1, 3, 1])], attributes: { axes: ints([0]) }, opset: 11 },
  ],
  Unsqueeze: [
    { inputs: [ramp([3]), longs([0, -1])] },
    { inputs: [ramp([2, 3]), longs([1])] },
    { inputs: [ramp([2, 3])], attributes: { axes: ints([2, 0]) }, opset: 11 },
  ],
  Transpose: [
    { inputs: [ramp([2, 3, 4])], attributes: { perm: ints([1, 2, 0]) } },
    { inputs: [ramp([2, 3])] },
    { inputs: [longs([1, 2, 3, 4], [2, 2])] },
    { inputs: [tensor('string', [2, 1], ['a', 'b'])] },
  ],
  Gather: [
    { inputs: [ramp([3, 2]), longs([2, -3])] },
    { inputs: [ramp([2, 3]), longs([0, 2, 1, 1], [2, 2])], attributes: { axis: int(-1) } },
    { inputs: [whole, of('int32', [], 4)] },
  ],
  GatherElements: [
    { inputs: [ramp([3, 2]), longs([2, 0, 1, -1], [2, 2])] },
    { inputs: [ramp([2, 3]), longs([2, 0], [2, 1])], attributes: { axis: int(1) } },
  ],
  GatherND: [
    { inputs: [ramp([2, 3, 2]), longs([1, 2, 0, -1], [2, 2])] },
    { inputs: [ramp([2, 3, 2]), longs([1, 0], [2, 1])], attributes: { batch_dims: int(1) } },
  ],
  Scatter: [{ inputs: [ramp([3, 2]), longs([2, 0], [1, 2]), floats([9, 8], [1, 2])], opset: 10 }],
  ScatterElements: [
    { inputs: [ramp([3, 2]), longs([2, -3], [1, 2]), floats([9, 8], [1, 2])] },
    { inputs: [ramp([2, 3]), longs([1], [1, 1]), floats([9], [1, 1])], attributes: { axis: int(-1) } },
  ],
  ScatterND: [
    { inputs: [ramp([3, 2]), longs([2, 0], [2, 1]), ramp([2, 2], 50)] },
    { inputs: [ramp([2, 2]), longs([1, -1], [1, 2]), floats([9])] },
  ],
  Slice: [
    { inputs: [ramp([4, 5]), longs([1]), longs([99]), longs([1]), longs([2])] },
    { inputs: [ramp([4, 5]), longs([-1, 3]), longs([-99, 0]), longs([0, -1]), longs([-1, -2])] },
    { inputs: [ramp([4]), longs([3]), longs([1])] },
    { inputs: [ramp([4]), longs([-9]), of('int64', [1], 2 ** 62)] },
    { inputs: [ramp([4, 2])], attributes: { starts: ints([1]), ends: ints([3]) }, opset: 9 },
  ],
  Split: [
    { inputs: [ramp([5, 2]), longs([2, 3])], outputs: 2 },
    { inputs: [ramp([2, 5])], attributes: { axis: int(-1), num_outputs: int(2) }, outputs: 2, opset: 18 },
    { inputs: [ramp([4])], attributes: { split: ints([1, 3]) }, outputs: 2, opset: 12 },
  ],
  Trilu: [
    { inputs: [ramp([3, 4], 1)] },
    { inputs: [ramp([2, 3, 3], 1), longs([-1], [])], attributes: { upper: int(0) } },
    { inputs: [longs([1, 2, 3, 4], [2, 2]), longs([1], [])] },
  ],
  Concat: [
    { inputs: [ramp([2, 1]), ramp([2, 2], 9)], attributes: { axis: int(-1) } },
    { inputs: [ramp([1, 2]), ramp([2, 2], 9)], attributes: { axis: int(0) } },
    { inputs: [tensor('string', [1], ['a']), tensor('string', [2], ['b', 'c'])], attributes: { axis: int(0) } },
  ],
  Expand: [pair(ramp([3, 1]), longs([2, 1, 4])), pair(ramp([2, 3]), longs([1]))],
  Tile: [pair(ramp([2, 3]), longs([2, 1])), pair(ramp([2]), longs([3])), pair(whole32, longs([0]))],
  Pad: [
    { inputs: [ramp([2, 3], 1), longs([1, 0, 0, 2])] },
    { inputs: [ramp([2, 3], 1), longs([0, 1, 0, 1]), scalar(-4)] },
    { inputs: [ramp([4], 1), longs([-1, -1])] },
    { inputs: [ramp([3, 4], 1), longs([0, 2, 1, 3])], attributes: { mode: text('reflect') } },
    { inputs: [ramp([2, 3], 1), longs([1, 2, 0, 1])], attributes: { mode: text('edge') } },
    { inputs: [ramp([2, 3], 1), longs([1, 1]), undefined, longs([-1])], opset: 18 },
    { inputs: [ramp([4], 1), longs([2, 1])], attributes: { mode: text('wrap') }, opset: 19 },
    { inputs: [ramp([3], 1)], attributes: { pads: ints([1, 2]), value: float(0.5) }, opset: 10 },
  ],
  Cast: [
    { inputs: [mixed], attributes: { to: int(7) } },
    { inputs: [whole], attributes: { to: int(1) } },
    { inputs: [longs([300, -1, 2 ** 40 + 5])], attributes: { to: int(6) } },
    { inputs: [of('int32', [3], 300, -1, 5)], attributes: { to: int(2) } },
    { inputs: [floats([0, -0.5, Number.NaN])], attributes: { to: int(9) } },
    { inputs: [bools(0, 1)], attributes: { to: int(1) } },
    { inputs: [floats([1.0009, -70000, 1e-8])], attributes: { to: int(10) } },
    { inputs: [of('float16', [2], 1.5, -2)], attributes: { to: int(11) } },
  ],
  CastLike: [{ inputs: [mixed, longs([1])], opset: 15 }],
  Neg: one(mixed, whole, whole32),
  Abs: one(mixed, whole, whole32),
  Sign: one(mixed, whole),
  Relu: one(mixed, whole32),
  Not: one(bools(0, 1)),
  BitwiseNot: one(whole32, whole).map((each) => ({ ...each, opset: 18 })),
  IsNaN: one(floats([1, Number.NaN])),
  IsInf: [
    ...one(floats([1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])),
    { inputs: [floats([1 / 0, -1 / 0])], attributes: { detect_negative: int(0) } },
  ],
  Sqrt: one(positive),
  Exp: one(mixed),
  Log: one(positive),
  Floor: one(mixed),
  Ceil: one(mixed),
  Round: one(mixed),
  Reciprocal: one(positive),
  Erf: one(mixed, unit, floats([3, 5.9, 6.1, -8])),
  Sigmoid: one(mixed),
  Tanh: one(mixed),
  Sin: one(mixed),
  Cos: one(mixed),
  Tan: one(unit),
  Asin: one(unit),
  Acos: one(unit),
  Atan: one(mixed),
  Sinh: one(unit),
  Cosh: one(unit),
  Asinh: one(mixed),
  Acosh: one(floats([1, 1.5, 20])),
  Atanh: one(unit),
  Softplus: one(mixed),
  Softsign: one(mixed),
  HardSwish: one(mixed),
  Mish: one(mixed).map((each) => ({ ...each, opset: 18 })),
  Gelu: [
    { inputs: [mixed], opset: 20 },
    { inputs: [unit], attributes: { approximate: text('tanh') }, opset: 20 },
  ],
  LeakyRelu: [...one(mixed), { inputs: [mixed], attributes: { alpha: float(0.25) } }],
  Elu: one(mixed),
  Celu: [{ inputs: [mixed], attributes: { alpha: float(2) } }],
  Selu: one(mixed),
  ThresholdedRelu: [{ inputs: [mixed], attributes: { alpha: float(0.5) } }],
  HardSigmoid: one(mixed),
  Clip: [
    { inputs: [mixed, scalar(-1), scalar(2)] },
    { inputs: [mixed, undefined, scalar(2)] },
    { inputs: [whole, longs([-2], []), longs([3], [])] },
    { inputs: [mixed], attributes: { min: float(0), max: float(6) }, opset: 7 },
  ],
  Add: [...broadcasts, ...integers],
  Sub: [...broadcasts, ...integers],
  Mul: [...broadcasts, ...integers, pair(of('int32', [1], 2 ** 30 + 7), of('int32', [1], 12345))],
  Div: [...broadcasts, ...integers],
  Mod: [
    ...integers,
    { inputs: [whole, longs([4])], attributes: { fmod: int(1) } },
    { inputs: [mixed, scalar(0.75)], attributes: { fmod: int(1) } },
  ],
  Pow: [
    pair(positive, floats([2])),
    pair(longs([2, -3, 5]), longs([3, 3, 0])),
    pair(ramp([2, 2], 1), longs([2], [])),
    pair(longs([2, 3]), floats([0.5])),
  ],
  PRelu: [pair(ramp([2, 3], -3), floats([0.1, 0.2, 0.3]))],
  Sum: [{ inputs: [ramp([2, 3]), ramp([3]), scalar(0.1)] }],
  Min: [{ inputs: [ramp([2, 3]), floats([2, 1, 4]), scalar(3)] }, ...integers],
  Max: [{ inputs: [ramp([2, 3]), floats([2, 1, 4])] }, ...integers],
  Mean: [{ inputs: [ramp([2, 3]), ramp([3], 4), scalar(1)] }],
  Equal: [...comparisons, pair(bools(0, 1), bools(1, 1))],
  Less: comparisons,
  LessOrEqual: comparisons,
  Greater: comparisons,
  GreaterOrEqual: comparisons,
  And: logic,
  Or: logic,
  Xor: logic,
  BitwiseAnd: bits.map((each) => ({ ...each, opset: 18 })),
  BitwiseOr: bits.map((each) => ({ ...each, opset: 18 })),
  BitwiseXor: bits.map((each) => ({ ...each, opset: 18 })),
  BitShift: [
    { inputs: [of('uint32', [3], 1, 5, 2 ** 31), of('uint32', [1], 3)], attributes: { direction: text('LEFT') } },
    { inputs: [of('uint8', [3], 1, 5, 200), of('uint8', [1], 2)], attributes: { direction: text('RIGHT') } },
  ],
  Where: [
    { inputs: [bools(1, 0, 1), ramp([2, 3]), scalar(-1)] },
    { inputs: [bools(1, 0), longs([1, 2]), longs([3])] },
    { inputs: [bools(1, 0), tensor('string', [1], ['x']), tensor('string', [2], ['y', 'z'])] },
  ],
  ReduceSum: [
    { inputs: [ramp([2, 3, 4], 1), axesOf(1)] },
    { inputs: [ramp([2, 3], 1)] },
    { inputs: [ramp([2, 3], 1)], attributes: { noop_with_empty_axes: int(1) } },
    { inputs: [longs([1, 2, 3, 4], [2, 2]), axesOf(0)], attributes: { keepdims: int(0) } },
    { inputs: [whole32] },
  ],
  ReduceMean: [...reductions, { inputs: [of('int32', [2, 2], 1, 2, 4, 5), axesOf(0)], opset: 18 }],
  ReduceProd: reductions,
  ReduceMax: [...reductions, ...one(whole, whole32)],
  ReduceMin: [...reductions, ...one(whole, whole32)],
  ReduceL1: reductions,
  ReduceL2: reductions,
  ReduceSumSquare: reductions,
  ReduceLogSum: reductions,
  ReduceLogSumExp: reductions,
  ArgMax: [
    { inputs: [floats([1, 5, 5, 2, 0, 9], [2, 3])], attributes: { axis: int(-1) } },
    { inputs: [floats([1, 5, 5], [3])], attributes: { select_last_index: int(1), keepdims: int(0) } },
    { inputs: [of('int32', [2, 2], 4, 1, 3, 8)] },
  ],
  ArgMin: [{ inputs: [floats([1, 0, 0, 2], [2, 2])], attributes: { axis: int(1), keepdims: int(0) } }],
  NonZero: one(floats([0, 1, 0, -2], [2, 2]), whole, bools(1, 0, 1)),
  MatMul: [
    pair(ramp([2, 3]), ramp([3, 4])),
    pair(ramp([2, 1, 2, 3]), ramp([4, 3, 2])),
    pair(ramp([3]), ramp([3, 2])),
    pair(ramp([2, 3]), ramp([3])),
    pair(ramp([3]), ramp([3])),
  ],
  Gemm: [
    { inputs: [ramp([2, 3]), ramp([3, 4]), ramp([4])] },
    {
      inputs: [ramp([3, 2]), ramp([4, 3]), ramp([2, 1])],
      attributes: { transA: int(1), transB: int(1), alpha: float(0.5), beta: float(2) },
    },
    { inputs: [ramp([2, 3]), ramp([3, 4])] },
  ],
  QuantizeLinear: quantized,
  DequantizeLinear: [
    { inputs: [of('uint8', [3], 0, 128, 255), scalar(0.3), of('uint8', [], 128)] },
    {
      inputs: [of('int8', [2, 3], 1, -2, 3, -4, 5, -6), floats([0.1, 0.2, 0.3]), of('int8', [3], 0, 1, 2)],
      attributes: { axis: int(-1) },
    },
    { inputs: [of('int32', [2], 7, -9), floats([0.5, 2])], attributes: { axis: int(0) } },
    {
      inputs: [of('int4', [4, 2], 1, -2, 3, -4, 5, -6, 7, -8), floats([0.5, 0.25, 1, 2], [2, 2])],
      attributes: { axis: int(0), block_size: int(2) },
      opset: 21,
    },
  ],
};

/** The same node run by onnxruntime: its inputs as graph inputs, packed ones as constants. */
async function reference(op: string, { inputs, attributes = {}, outputs = 1, opset = 17 }: Case) {
  const names = inputs.map((each, i) => (each ? `x${i}` : undefined));
  const made = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const node = createNode({ id: 'node', op, inputs: names, outputs: made, attributes });
  const given = inputs.flatMap((each, i): [string, Tensor][] => (each ? [[`x${i}`, each]] : []));
  const fed = given.filter(([, { dtype }]) => !['int4', 'uint4', 'float16'].includes(dtype));
  const graph = createGraph({
    inputs: fed.map(([name]) => name),
    outputs: made,
    nodes: [node],
    values: new Map(fed.map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    constants: new Map(given.filter(([name]) => !fed.some(([other]) => other === name))),
    opsets: new Map([['', opset]]),
  });
  const expected = await runOnnx(inferShapes(graph), new Map(fed));
  return { node, opset, expected: made.map((name) => expected.get(name)!) };
}

describe('each evaluator computes what onnxruntime computes', () => {
  for (const op of Object.keys(evaluators) as EvaluatedOp[]) {
    test(op, async () => {
      for (const [i, each] of cases[op].entries()) {
        const { node, opset, expected } = await reference(op, each);
        const actual = evaluateNode(node, { inputs: each.inputs, opset });
        expect(actual, `case ${i}`).toHaveLength(expected.length);
        actual?.forEach((result, slot) => {
          const wanted = expected[slot]!;
          expect([result.dtype, [...result.shape]], `case ${i}`).toEqual([wanted.dtype, [...wanted.shape]]);
          expectSame(result, wanted, `case ${i}`);
        });
      }
    });
  }
});

function expectSame(actual: Tensor, wanted: Tensor, where: string): void {
  if (actual.dtype === 'string' || !isFloat(actual.dtype)) {
    expect(Array.from(actual.data as ArrayLike<unknown>), where).toEqual(Array.from(wanted.data as ArrayLike<unknown>));
    return;
  }
  const [x, y] = [toNumbers(actual), toNumbers(wanted)];
  for (let k = 0; k < x.length; k++) {
    if (Object.is(x[k], y[k]) || x[k] === y[k]) continue;
    const relative = Math.abs(x[k]! - y[k]!) / Math.max(0.1, Math.abs(y[k]!));
    expect(relative, `${where}, element ${k}: ${x[k]} against ${y[k]}`).toBeLessThan(2e-6);
  }
}

describe('what ONNX leaves open is left to the runtime', () => {
  const run = (op: string, inputs: readonly Tensor[], attributes: Readonly<Record<string, Attribute>> = {}) =>
    evaluateNode(createNode({ id: 'node', op, inputs: inputs.map((_, i) => `x${i}`), outputs: ['y'], attributes }), {
      inputs,
      opset: 17,
      maxBytes: 1024,
    });
  const refused: Readonly<Record<string, readonly Tensor[] | undefined>> = {
    'an integer division by zero': run('Div', [longs([1]), longs([0])]),
    'a 32-bit division by zero': run('Div', [of('int32', [1], 1), of('int32', [1], 0)]),
    'a remainder by zero': run('Mod', [longs([1]), longs([0])]),
    'a float beyond the integer it is cast to': run('Cast', [floats([3e9])], { to: int(6) }),
    'NaN cast to an integer': run('Cast', [floats([Number.NaN])], { to: int(7) }),
    'an index outside the data': run('Gather', [ramp([2]), longs([2])]),
    'shapes that do not broadcast': run('Add', [ramp([2]), ramp([3])]),
    'a reshape to another size': run('Reshape', [ramp([4]), longs([3])]),
    'a reshape with a rest': run('Reshape', [ramp([4]), longs([3, -1])]),
    'a negative size': run('ConstantOfShape', [longs([-1])]),
    'a step of zero': run('Slice', [ramp([4]), longs([0]), longs([4]), longs([0]), longs([0])]),
    'a range without end': run('Range', [longs([0], []), longs([5], []), longs([0], [])]),
    'axes named twice': run('Squeeze', [ramp([1, 1]), longs([0, -2])]),
    'a reflection wider than the data': run('Pad', [ramp([2]), longs([3, 0])], { mode: text('reflect') }),
    'a power beyond 2^53': run('Pow', [longs([10]), longs([30])]),
    'a result beyond the room': run('Expand', [ramp([1]), longs([1_000_000])]),
    'a huge range': run('Range', [longs([0], []), longs([2 ** 50], []), longs([1], [])]),
    'an attribute that the evaluator does not read': run('Relu', [ramp([1])], { ceiling: float(6) }),
    'inputs aligned at an axis, as before opset 7': run('Add', [ramp([1]), ramp([1])], {
      broadcast: int(1),
      axis: int(0),
    }),
    'a sum in another precision': run('Range', [scalar(0), scalar(2), scalar(1)], { stash_type: int(10) }),
    'a shift of floats': run('BitShift', [ramp([1]), ramp([1])], { direction: text('LEFT') }),
    'an op that is not in the table': run('constructor', [ramp([1])]),
  };
  test.each(Object.entries(refused))('%s', (_, result) => {
    expect(result).toBeUndefined();
  });
});

test('64-bit integers keep every bit', () => {
  const big = tensor('int64', [2], BigInt64Array.of(2n ** 62n, -(2n ** 63n)));
  const node = createNode({ id: 'n', op: 'Add', inputs: ['a', 'b'], outputs: ['y'] });
  const [sum] = evaluateNode(node, { inputs: [big, longs([1])], opset: 17 })!;
  expect(sum?.data).toEqual(BigInt64Array.of(2n ** 62n + 1n, -(2n ** 63n) + 1n));
});

test('packed integers are reshaped but never moved one by one', () => {
  const packed = of('int4', [2, 2], 1, 2, 3, 4);
  const node = (op: string) => createNode({ id: 'n', op, inputs: ['a', 'b'], outputs: ['y'] });
  expect(evaluateNode(node('Reshape'), { inputs: [packed, longs([4])], opset: 21 })?.[0]?.shape).toEqual([4]);
  expect(evaluateNode(node('Transpose'), { inputs: [packed], opset: 21 })).toBeUndefined();
});

test.each([
  ['int8', [-8, -8, -8, 8], [1, 9, -1, 2], [-4, -1, -1, 2], [-16, 0, 0, 32]],
  ['int32', [-8, -8, -8, 8], [1, 40, -1, 2], [-4, -1, -1, 2], [-16, 0, 0, 32]],
  ['int64', [-8, -8, -8, 8], [1, 70, -1, 2], [-4, -1, -1, 2], [-16, 0, 0, 32]],
  ['uint8', [128, 3, 3, 8], [1, 9, 1, 2], [64, 0, 1, 2], [0, 0, 6, 32]],
] as const)('BitShift of %s repeats the sign, and shifts all bits out by the width or a negative number', (...each) => {
  const [dtype, x, by, right, left] = each;
  const shifted = (direction: string) =>
    evaluateNode(
      createNode({
        id: 'n',
        op: 'BitShift',
        inputs: ['a', 'b'],
        outputs: ['y'],
        attributes: { direction: text(direction) },
      }),
      { inputs: [of(dtype, [4], ...x), of(dtype, [4], ...by)], opset: 28 },
    )![0]!; // BitShift of integers is computed
  expect(Array.from(toNumbers(shifted('RIGHT')))).toEqual(right);
  expect(Array.from(toNumbers(shifted('LEFT')))).toEqual(left);
});
