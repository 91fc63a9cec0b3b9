import {
  type Attribute,
  createGraph,
  createNode,
  createRandom,
  EspalierError,
  float,
  floats,
  type Graph,
  int,
  ints,
  longs,
  sizeOf,
  type Tensor,
  tensor,
  text,
  type ValueId,
} from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { lowerCustomOps } from '@espalier/passes';
import { describe, expect, test } from 'vitest';
import { evaluateGraph } from '../../../test/float64/evaluate-graph.js';
import { largestDifference, runOnnx } from '../../../test/run-onnx.js';
import { gradients } from './gradients.js';
import { type HessianVectorProduct, hessianVectorProduct } from './hessian-vector-product.js';

type Draw = (next: () => number, i: number) => number;
type Operand =
  | { readonly shape: readonly number[]; readonly draw?: Draw; readonly fixed?: boolean }
  | Tensor
  | undefined;

interface Case {
  readonly op: string;
  readonly inputs: readonly Operand[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  /** Which outputs the loss reads; the first when left out. */
  readonly read?: readonly number[];
  /** Name of the first axis of the graph inputs, to try gradients of unknown batch size. */
  readonly batch?: boolean;
  readonly opset?: number;
}

const of = (...shape: readonly number[]): Operand => ({ shape });
const drawn = (draw: Draw, ...shape: readonly number[]): Operand => ({ shape, draw });
const positive = (...shape: readonly number[]) => drawn((next) => 0.5 + Math.abs(next()), ...shape);
/** At least 0.1 away from every kink at a multiple of 1/2. */
const apart = (...shape: readonly number[]) =>
  drawn((next) => (Math.floor(next() * 4) + 0.25 + 0.1 * Math.sin(next())) / 2, ...shape);
/** All different, so that maxima are clear. */
const distinct = (...shape: readonly number[]) =>
  drawn((next, i) => ((i * 7919) % 1009) / 300 - 1.5 + next() * 1e-4, ...shape);
const fixed = (operand: Operand): Operand => ({ ...(operand as { shape: readonly number[] }), fixed: true });

const unary = (op: string, operand: Operand = of(2, 3), attributes: Record<string, Attribute> = {}): Case => ({
  op,
  inputs: [operand],
  attributes,
});
const pair = (op: string, a: Operand, b: Operand): Case => ({ op, inputs: [a, b] });
const window = (values: Record<string, readonly number[]>): Record<string, Attribute> =>
  Object.fromEntries(Object.entries(values).map(([name, list]) => [name, ints(list)]));

const cases: Readonly<Record<string, readonly Case[]>> = {
  'elements alone': [
    ...[
      'Identity',
      'Neg',
      'Exp',
      'Sin',
      'Cos',
      'Tanh',
      'Sigmoid',
      'Erf',
      'Softplus',
      'Mish',
      'Sinh',
      'Cosh',
      'Asinh',
      'Atan',
    ].map((op) => unary(op)),
    ...['Abs', 'Relu', 'LeakyRelu', 'Elu', 'HardSigmoid', 'Softsign', 'Selu', 'Celu', 'ThresholdedRelu'].map((op) =>
      unary(op, apart(4, 5)),
    ),
    unary(
      'HardSwish',
      drawn((next) => next() * 5 + 0.01, 4, 5),
    ),
    unary(
      'HardSigmoid',
      drawn((next) => next() * 4, 4, 5),
      { alpha: float(0.3), beta: float(0.4) },
    ),
    ...['Log', 'Sqrt', 'Reciprocal', 'Acosh'].map((op) =>
      unary(
        op,
        drawn((next) => 1.5 + Math.abs(next()), 2, 3),
      ),
    ),
    ...['Asin', 'Acos', 'Atanh', 'Tan'].map((op) =>
      unary(
        op,
        drawn((next) => 0.8 * next(), 2, 3),
      ),
    ),
    unary('Gelu', of(3, 4), {}),
    unary('Gelu', of(3, 4), { approximate: text('tanh') }),
    unary('LeakyRelu', apart(4, 5), { alpha: float(0.3) }),
    unary('Elu', apart(4, 5), { alpha: float(0.7) }),
    unary('Celu', apart(4, 5), { alpha: float(0.7) }),
    { op: 'Clip', inputs: [apart(4, 5), floats([-0.5], []), floats([1], [])] },
    { op: 'Clip', inputs: [apart(4, 5), undefined, floats([0.5], [])] },
    unary('Cast', of(2, 3), { to: int(1) }),
    unary('Dropout', of(2, 3)),
  ],
  'pairs with broadcasting': [
    ...['Add', 'Sub', 'Mul', 'Max', 'Min', 'Sum', 'Mean'].flatMap((op) => [
      pair(op, distinct(2, 3), distinct(2, 3)),
      pair(
        op,
        distinct(2, 3, 4),
        drawn((next) => 0.37 + next(), 3, 1),
      ),
      pair(
        op,
        drawn((next) => 0.53 + next(), 4),
        distinct(2, 3, 4),
      ),
      pair(
        op,
        drawn((next) => 0.41 + next(), 2, 1, 4),
        distinct(1, 3, 1),
      ),
      pair(
        op,
        drawn(() => 0.21),
        distinct(2, 2),
      ),
    ]),
    pair('Div', of(2, 3), positive(2, 3)),
    pair('Div', of(3), positive(2, 1)),
    pair('Pow', positive(2, 3), of(2, 3)),
    pair('Pow', positive(2, 3), of(3)),
    { op: 'Pow', inputs: [of(2, 3), floats([3], [])] },
    { op: 'Pow', inputs: [of(2, 3), longs([2], [])] },
    pair('PRelu', apart(2, 3, 4), of(3, 1)),
    { op: 'Where', inputs: [tensor('bool', [3], Uint8Array.from([1, 0, 1])), of(2, 3), of(2, 1)] },
    { op: 'Max', inputs: [distinct(2, 3), drawn((next) => next() + 0.31, 2, 3), drawn((next) => next() - 0.17, 3)] },
    { op: 'Sum', inputs: [of(2, 3), of(3), of(2, 1)] },
    { op: 'Add', inputs: [of(2, 3), of(2, 3)], batch: true },
    { op: 'Mul', inputs: [of(2, 3), fixed(of(3))], batch: true },
  ],
  products: [
    pair('MatMul', of(2, 3), of(3, 4)),
    pair('MatMul', of(5, 2, 3), of(3, 4)),
    pair('MatMul', of(5, 2, 3), of(5, 3, 4)),
    pair('MatMul', of(2, 1, 2, 3), of(4, 3, 2)),
    pair('MatMul', of(2, 3), of(4, 3, 2)),
    pair('MatMul', of(3), of(3, 4)),
    pair('MatMul', of(2, 3), of(3)),
    pair('MatMul', of(3), of(3)),
    pair('MatMul', of(5, 2, 3), of(3)),
    pair('MatMul', of(3), of(5, 3, 2)),
    { op: 'MatMul', inputs: [of(5, 2, 3), fixed(of(3, 4))], batch: true },
    ...[0, 1, 2, 3].map(
      (bits): Case => ({
        op: 'Gemm',
        inputs: [bits & 1 ? of(3, 2) : of(2, 3), bits & 2 ? of(4, 3) : of(3, 4), bits & 1 ? of(4) : of(2, 1)],
        attributes: { transA: int(bits & 1), transB: int(bits >> 1), alpha: float(0.5), beta: float(2) },
      }),
    ),
    { op: 'Gemm', inputs: [of(2, 3), of(3, 4)] },
    ...['ij,jk->ik', 'bij,bkj->bik', 'bhid,bhjd->bhij', 'i,j->ij'].map(
      (equation): Case => ({
        op: 'Einsum',
        inputs: equation
          .split('->')[0]!
          .split(',')
          .map((term) => of(...[...term].map((letter) => 2 + ('bhijkd'.indexOf(letter) % 3)))),
        attributes: { equation: text(equation) },
      }),
    ),
  ],
  convolutions: [
    { op: 'Conv', inputs: [of(2, 3, 5, 6), of(4, 3, 3, 3), of(4)] },
    {
      op: 'Conv',
      inputs: [of(2, 3, 5, 6), of(4, 3, 3, 3)],
      attributes: window({ strides: [2, 2], pads: [1, 1, 1, 1] }),
      batch: true,
    },
    {
      op: 'Conv',
      inputs: [of(1, 2, 7, 7), of(2, 2, 3, 2)],
      attributes: window({ strides: [2, 3], pads: [0, 1, 2, 1], dilations: [2, 1] }),
    },
    {
      op: 'Conv',
      inputs: [of(2, 4, 5, 5), of(6, 2, 3, 3), of(6)],
      attributes: { ...window({ pads: [1, 1, 1, 1] }), group: int(2) },
    },
    {
      op: 'Conv',
      inputs: [of(2, 3, 6, 6), of(6, 1, 3, 3)],
      attributes: { ...window({ pads: [1, 0, 0, 1], strides: [2, 1] }), group: int(3) },
      batch: true,
    },
    { op: 'Conv', inputs: [of(2, 2, 7), of(3, 2, 3)], attributes: window({ strides: [2], pads: [1, 0] }) },
    { op: 'Conv', inputs: [of(1, 2, 3, 4, 3), of(2, 2, 2, 2, 2)] },
    { op: 'Conv', inputs: [of(1, 2, 4, 4), of(3, 2, 1, 1)], attributes: window({ strides: [3, 3] }) },
    {
      op: 'ConvTranspose',
      inputs: [of(2, 3, 4, 3), of(3, 2, 3, 3), of(2)],
      attributes: window({ strides: [2, 2], pads: [1, 1, 0, 1], output_padding: [1, 0] }),
    },
    { op: 'ConvTranspose', inputs: [of(2, 4, 3, 3), of(4, 1, 2, 2)], attributes: { group: int(2) } },
  ],
  poolings: [
    {
      op: 'MaxPool',
      inputs: [distinct(2, 2, 5, 6)],
      attributes: window({ kernel_shape: [2, 2], strides: [2, 2] }),
      batch: true,
    },
    {
      op: 'MaxPool',
      inputs: [distinct(2, 2, 5, 6)],
      attributes: window({ kernel_shape: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1] }),
    },
    {
      op: 'MaxPool',
      inputs: [distinct(1, 2, 6, 6)],
      attributes: { ...window({ kernel_shape: [3, 3], strides: [2, 2] }), ceil_mode: int(1) },
    },
    { op: 'MaxPool', inputs: [distinct(1, 2, 7, 7)], attributes: window({ kernel_shape: [2, 3], dilations: [2, 2] }) },
    { op: 'MaxPool', inputs: [distinct(2, 2, 7)], attributes: window({ kernel_shape: [3], strides: [2] }) },
    {
      op: 'AveragePool',
      inputs: [of(2, 2, 5, 6)],
      attributes: window({ kernel_shape: [2, 2], strides: [2, 2] }),
      batch: true,
    },
    {
      op: 'AveragePool',
      inputs: [of(1, 2, 5, 6)],
      attributes: window({ kernel_shape: [3, 3], strides: [2, 1], pads: [1, 0, 1, 1] }),
    },
    {
      op: 'AveragePool',
      inputs: [of(1, 2, 5, 5)],
      attributes: { ...window({ kernel_shape: [3, 3], pads: [1, 1, 1, 1] }), count_include_pad: int(1) },
    },
    {
      op: 'AveragePool',
      inputs: [of(1, 2, 6, 6)],
      attributes: { ...window({ kernel_shape: [3, 3], strides: [2, 2] }), ceil_mode: int(1) },
    },
    { op: 'GlobalAveragePool', inputs: [of(2, 3, 4, 5)], batch: true },
    { op: 'GlobalMaxPool', inputs: [distinct(2, 3, 4, 5)] },
  ],
  norms: [
    { op: 'BatchNormalization', inputs: [of(3, 2, 4), of(2), of(2), fixed(of(2)), fixed(positive(2))] },
    {
      op: 'espalier::BatchNormTraining',
      inputs: [of(3, 2, 2, 2), of(2), of(2)],
      attributes: { epsilon: float(1e-3) },
      outputs: 3,
    },
    { op: 'espalier::BatchNormTraining', inputs: [of(5, 3), of(3), of(3)], outputs: 3, batch: true },
    { op: 'LayerNormalization', inputs: [of(2, 3, 4), of(4), of(4)], batch: true },
    { op: 'LayerNormalization', inputs: [of(2, 3, 4), of(3, 4)], attributes: { axis: int(1), epsilon: float(0.1) } },
    { op: 'InstanceNormalization', inputs: [of(2, 3, 4, 2), of(3), of(3)], batch: true },
    { op: 'GroupNormalization', inputs: [of(2, 4, 3), of(2), of(2)], attributes: { num_groups: int(2) } },
    { op: 'GroupNormalization', inputs: [of(2, 4, 3), of(4), of(4)], attributes: { num_groups: int(2) }, opset: 21 },
    ...['Softmax', 'LogSoftmax'].flatMap((op) => [unary(op, of(3, 4)), unary(op, of(2, 3, 4), { axis: int(1) })]),
  ],
  reductions: [
    ...[
      'ReduceSum',
      'ReduceMean',
      'ReduceMax',
      'ReduceMin',
      'ReduceSumSquare',
      'ReduceL1',
      'ReduceL2',
      'ReduceLogSumExp',
      'ReduceProd',
    ].flatMap((op): readonly Case[] => [
      unary(op, distinct(2, 3, 4)),
      { op, inputs: [distinct(2, 3, 4), longs([1, -1])], attributes: { keepdims: int(0) } },
      { op, inputs: [distinct(2, 3, 4), longs([0])], batch: true },
    ]),
    { op: 'ReduceLogSum', inputs: [positive(2, 3), longs([1])] },
    { op: 'ReduceSum', inputs: [of(2, 3)], attributes: { noop_with_empty_axes: int(1) } },
    { op: 'CumSum', inputs: [of(2, 4), longs([1], [])], attributes: { exclusive: int(1) } },
    { op: 'CumSum', inputs: [of(2, 4), longs([0], [])], attributes: { reverse: int(1) } },
    { op: 'TopK', inputs: [distinct(3, 5), longs([2])], outputs: 2 },
  ],
  movements: [
    { op: 'Reshape', inputs: [of(2, 6), longs([3, -1])] },
    { op: 'Flatten', inputs: [of(2, 3, 4)], batch: true },
    { op: 'Squeeze', inputs: [of(2, 1, 3), longs([1])] },
    { op: 'Unsqueeze', inputs: [of(2, 3), longs([0, 2])] },
    unary('Transpose', of(2, 3, 4)),
    unary('Transpose', of(2, 3, 4), { perm: ints([2, 0, 1]) }),
    { op: 'Concat', inputs: [of(2, 3), of(2, 1), of(2, 2)], attributes: { axis: int(-1) }, batch: true },
    { op: 'Split', inputs: [of(2, 5), longs([2, 3])], attributes: { axis: int(1) }, outputs: 2, read: [1] },
    { op: 'Split', inputs: [of(2, 6)], attributes: { axis: int(1), num_outputs: int(3) }, outputs: 3, read: [0, 2] },
    { op: 'Slice', inputs: [of(4, 5), longs([1, 0]), longs([3, 2 ** 40])] },
    { op: 'Slice', inputs: [of(4, 5), longs([-1]), longs([-6]), longs([1]), longs([-2])] },
    { op: 'Slice', inputs: [of(2, 7), longs([1]), longs([7]), longs([1]), longs([3])], batch: true },
    { op: 'Pad', inputs: [of(2, 3), longs([0, 1, 0, 2])], batch: true },
    { op: 'Pad', inputs: [of(2, 3), longs([0, 0, 1, -1])] },
    { op: 'Pad', inputs: [of(2, 3), longs([1, 2]), undefined, longs([1])] },
    { op: 'Pad', inputs: [of(1, 1, 4, 5), longs([0, 0, 2, 1, 0, 0, 1, 3])], attributes: { mode: text('reflect') } },
    { op: 'Pad', inputs: [of(2, 4), longs([0, 2, 0, 1])], attributes: { mode: text('edge') } },
    { op: 'Expand', inputs: [of(3, 1), longs([2, 3, 4])] },
    { op: 'Tile', inputs: [of(2, 3), longs([2, 1])] },
    { op: 'Gather', inputs: [of(5, 3), longs([4, 0, 4, 1], [2, 2])] },
    { op: 'Gather', inputs: [of(2, 5, 3), longs([4, 0, 4])], attributes: { axis: int(1) }, batch: true },
    { op: 'Gather', inputs: [of(2, 5), longs([-2], [])], attributes: { axis: int(1) }, batch: true },
    { op: 'Gather', inputs: [of(5, 3), longs([-1, 0])] },
    { op: 'GatherElements', inputs: [of(3, 4), longs([0, 3, 1, 1, -1, 2], [3, 2])], attributes: { axis: int(1) } },
    { op: 'GatherND', inputs: [of(3, 4, 2), longs([0, 1, 2, 3, 0, 1], [3, 2])] },
    { op: 'ScatterND', inputs: [of(4, 2), longs([1, 3], [2, 1]), of(2, 2)] },
    { op: 'ScatterElements', inputs: [of(3, 3), longs([1, 0, 2], [1, 3]), of(1, 3)] },
    unary('DepthToSpace', of(2, 8, 2, 3), { blocksize: int(2) }),
    unary('DepthToSpace', of(2, 8, 2, 3), { blocksize: int(2), mode: text('CRD') }),
    unary('SpaceToDepth', of(2, 2, 4, 6), { blocksize: int(2) }),
    { op: 'Trilu', inputs: [of(2, 4, 4), longs([1], [])], attributes: { upper: int(0) } },
    {
      op: 'Resize',
      inputs: [of(2, 3, 2, 2), undefined, floats([1, 1, 2, 3])],
      attributes: {
        mode: text('nearest'),
        coordinate_transformation_mode: text('asymmetric'),
        nearest_mode: text('floor'),
      },
    },
  ],
};

interface Prepared {
  readonly graph: Graph;
  readonly wrt: readonly ValueId[];
  readonly feeds: ReadonlyMap<string, Tensor>;
}

/** The op, and a loss that sums its outputs with random weights. */
function prepare({ op, inputs, attributes = {}, outputs = 1, read = [0], batch = false, opset }: Case): Prepared {
  const random = createRandom(7);
  const constants = new Map<string, Tensor>();
  const feeds = new Map<string, Tensor>();
  const names = inputs.map((operand, i): string | undefined => {
    if (!operand) return undefined;
    if ('dtype' in operand) return constants.set(`c${i}`, operand) && `c${i}`;
    const draw = operand.draw ?? ((next) => next());
    const values = Float32Array.from({ length: sizeOf(operand.shape) }, (_, k) => draw(() => random.next() * 2 - 1, k));
    (operand.fixed ? constants : feeds).set(`x${i}`, floats(values, operand.shape));
    return `x${i}`;
  });
  const gelu = op === 'Gelu' ? 20 : 18;
  const opsets = new Map([
    ['', opset ?? gelu],
    ['espalier', 1],
  ]);
  const outs = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const first = createNode({ id: 'op', op, inputs: names, outputs: outs, attributes });
  const sized = createGraph({
    inputs: [...feeds.keys()],
    outputs: outs,
    nodes: [first],
    constants,
    opsets,
    values: typesOf(feeds, false),
  });
  const found = evaluateGraph(sized, feeds);
  const parts = read.flatMap((slot) => {
    const { shape } = found.get(`y${slot}`)!;
    constants.set(
      `r${slot}`,
      floats(
        Float32Array.from({ length: sizeOf(shape) }, () => random.next() * 2 - 1),
        shape,
      ),
    );
    return [
      createNode({ id: `m${slot}`, op: 'Mul', inputs: [`y${slot}`, `r${slot}`], outputs: [`p${slot}`] }),
      createNode({
        id: `s${slot}`,
        op: 'ReduceSum',
        inputs: [`p${slot}`],
        outputs: [`l${slot}`],
        attributes: { keepdims: int(0) },
      }),
    ];
  });
  const total = createNode({ id: 'total', op: 'Sum', inputs: read.map((slot) => `l${slot}`), outputs: ['loss'] });
  const graph = {
    ...sized,
    outputs: ['loss'],
    constants,
    nodes: [first, ...parts, total],
    values: typesOf(feeds, batch),
  };
  return { graph, wrt: [...feeds.keys()], feeds };
}

const typesOf = (feeds: ReadonlyMap<string, Tensor>, batch: boolean) =>
  new Map(
    [...feeds].map(([name, { dtype, shape }]) => [
      name,
      { dtype, shape: batch && name === 'x0' ? ['batch', ...shape.slice(1)] : shape },
    ]),
  );

const lossAt = (graph: Graph, feeds: ReadonlyMap<string, Tensor>): number =>
  Number(evaluateGraph(graph, feeds).get('loss')!.data[0]);

/** Central differences in float64 for every element of a feed. */
function differences({ graph, feeds }: Prepared, name: string): Float64Array {
  const base = Float64Array.from(feeds.get(name)!.data as Float32Array); // feeds are float32
  const { shape } = feeds.get(name)!;
  const step = 1e-5;
  return base.map((_, i) => {
    const at = (by: number) => {
      const moved = Float64Array.from(base);
      moved[i]! += by;
      return lossAt(graph, new Map(feeds).set(name, tensor('float64', shape, moved)));
    };
    return (at(step) - at(-step)) / (2 * step);
  });
}

const label = ({ op, inputs, attributes = {}, batch }: Case) =>
  `${op}(${inputs.map((each) => each?.shape.join('x') ?? '_').join(', ')}) ${Object.entries(attributes)
    .map(([name, { value }]) => `${name}=${String(value)}`)
    .join(' ')}${batch ? ' batch' : ''}`;

describe.each(Object.entries(cases))('derivatives of %s', (_, group) => {
  test.each(group.map((each) => [label(each), each] as const))('%s agree with finite differences', async (_, each) => {
    const prepared = prepare(each);
    const { graph, gradients: found } = gradients(prepared.graph, 'loss', prepared.wrt);
    const exact = evaluateGraph(graph, prepared.feeds);
    const expected = new Map<string, Tensor>();
    for (const [name, gradient] of found) {
      const wanted = differences(prepared, name);
      const actual = exact.get(gradient)!;
      expect(actual.shape).toEqual(prepared.feeds.get(name)!.shape);
      const size = Math.max(1e-3, ...wanted.map(Math.abs));
      for (const [i, value] of wanted.entries()) {
        expect(Math.abs(Number(actual.data[i]) - value) / size).toBeLessThan(1e-6);
      }
      expected.set(gradient, actual);
    }
    // What was emitted is valid ONNX: a runtime computes the same in float32.
    const outputs = [...new Set(found.values())];
    const lowered = lowerCustomOps(inferShapes({ ...graph, outputs }));
    expect(largestDifference(expected, await runOnnx(lowered, prepared.feeds))).toBeLessThan(1e-4);
  });
});

/** Σ over feeds of their gradients along a direction moved by ±1e-5, divided: what H v must be. */
function differencesAlong({ graph, wrt, feeds }: Prepared, vectors: ReadonlyMap<string, Tensor>) {
  const first = gradients(graph, 'loss', wrt);
  const step = 1e-5;
  const at = (by: number) => {
    const moved = new Map(feeds);
    for (const [name, vector] of vectors) {
      const data = Float64Array.from(feeds.get(name)!.data as Float32Array, (x, i) => x + by * Number(vector.data[i])); // feeds are float32
      moved.set(name, tensor('float64', vector.shape, data));
    }
    return evaluateGraph(first.graph, moved);
  };
  const [ahead, behind] = [at(step), at(-step)];
  return (name: string): Float64Array => {
    const [a, b] = [ahead, behind].map((values) => values.get(first.gradients.get(name)!)!.data as Float64Array);
    return a!.map((value, i) => (value - b![i]!) / (2 * step));
  };
}

// A gradient that differs by this much per unit over a step of 2e-5 went over a kink: equal elements, a bound.
const jump = 1e3;

test('derivatives have derivatives that agree with differences of gradients, but for the ops listed', () => {
  const random = createRandom(21);
  const refused = new Set<string>();
  for (const each of Object.values(cases).flat()) {
    const prepared = prepare(each);
    let product: HessianVectorProduct;
    try {
      product = hessianVectorProduct(prepared.graph, 'loss', prepared.wrt);
    } catch (cause) {
      if (!(cause instanceof EspalierError)) throw cause;
      refused.add(`${each.op}: ${cause.code} ${String(cause.details['found'])}`);
      continue;
    }
    const vectors = new Map(
      prepared.wrt.map((name): [string, Tensor] => {
        const { shape } = prepared.feeds.get(name)!;
        return [
          name,
          floats(
            Float32Array.from({ length: sizeOf(shape) }, () => random.next() * 2 - 1),
            shape,
          ),
        ];
      }),
    );
    const feeds = new Map(prepared.feeds);
    for (const [name, vector] of vectors) feeds.set(product.vectors.get(name)!, vector);
    const values = evaluateGraph(product.graph, feeds);
    const wanted = differencesAlong(prepared, vectors);
    for (const name of prepared.wrt) {
      const expected = wanted(name);
      const found = values.get(product.products.get(name)!)!.data;
      const smooth = expected.filter((value) => Math.abs(value) < jump);
      const size = Math.max(1e-2, ...smooth.map(Math.abs));
      for (const [i, value] of expected.entries()) {
        if (Math.abs(value) >= jump) continue;
        expect(Math.abs(Number(found[i]) - value) / size, `${label(each)}, ${name}`).toBeLessThan(1e-5);
      }
    }
  }
  expect([...refused]).toMatchInlineSnapshot(`[]`);
});
