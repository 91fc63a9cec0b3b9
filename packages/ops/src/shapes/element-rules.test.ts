import {
  type Attribute,
  createGraph,
  createNode,
  type Executor,
  float,
  floats,
  fromNumbers,
  int,
  ints,
  longs,
  type Node,
  type Tensor,
  tensor,
  type ValueId,
} from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, expect, it } from 'vitest';
import { inferShapes } from '../infer-shapes.js';
import { elementRules } from './element-rules.js';

const executor: Executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const l = (...values: number[]) => longs(values);
const n = (value: number) => longs([value], []);
const square = longs([1, 2, 3, 4, 5, 6], [2, 3]);
const bools = (...values: number[]) => tensor('bool', [values.length], Uint8Array.from(values));
const i32 = (...values: number[]) => fromNumbers('int32', [values.length], values);
type Attributes = Readonly<Record<string, Attribute>>;

/** Each op on small constants; every result has 1 to 6 elements from 0 to 9. */
const cases: readonly (readonly [op: string, inputs: readonly Tensor[], attributes?: Attributes])[] = [
  ['Abs', [l(-3, 2)]],
  ['Add', [l(1, 2), l(3)]],
  ['And', [bools(1, 1, 0), bools(1, 0, 0)]],
  ['Cast', [floats([2.9, 1.2])], { to: int(7) }],
  ['Cast', [l(3, 0)], { to: int(9) }],
  ['Cast', [floats([-1.5, 2.5])], { to: int(9) }],
  ['CastLike', [floats([2.9]), l(1)]],
  ['Ceil', [floats([1.2, 3])]],
  ['Concat', [square, longs([7, 8], [2, 1])], { axis: int(1) }],
  ['Concat', [l(1), l(2, 3)], { axis: int(-1) }],
  ['Constant', [], { value_ints: ints([2, 3]) }],
  ['Constant', [], { value_float: float(3) }],
  ['ConstantOfShape', [l(2)], { value: { kind: 'tensor', value: l(4) } }],
  ['Div', [l(7, 8), l(2, 3)]],
  ['Div', [floats([7]), floats([2])]],
  ['Equal', [l(1, 2), l(1, 3)]],
  ['Expand', [longs([1, 2], [2, 1]), l(1, 3)]],
  ['Flatten', [square]],
  ['Floor', [floats([1.9, 3])]],
  ['Gather', [square, l(-1, 0)], { axis: int(1) }],
  ['Gather', [l(4, 5, 6), n(-2)]],
  ['Greater', [l(1, 3), l(2)]],
  ['GreaterOrEqual', [l(1, 2), l(2)]],
  ['Identity', [l(1, 2)]],
  ['Less', [l(1, 2), l(2)]],
  ['LessOrEqual', [l(1, 3), l(2)]],
  ['Max', [l(1, 5), l(4, 2), l(3)]],
  ['Min', [l(1, 5), l(4, 2)]],
  ['Mod', [l(-7, 7), l(3)]],
  ['Mod', [l(8, 7), l(3)], { fmod: int(1) }],
  ['Mul', [l(2, 3), l(3)]],
  ['Neg', [l(-2, 0)]],
  ['NonZero', [longs([0, 3, 4, 0], [2, 2])]],
  ['Not', [bools(1, 0)]],
  ['Or', [bools(1, 0), bools(0)]],
  ['Pow', [l(3, 2), l(2, 3)]],
  ['Range', [n(1), n(8), n(3)]],
  ['Range', [n(5), n(0), n(-2)]],
  ['ReduceMax', [square, l(0)], { keepdims: int(0) }],
  ['ReduceMin', [square, l(1)]],
  ['ReduceProd', [l(2, 4)]],
  ['ReduceSum', [longs([1, 2, 3, 4], [2, 2]), l(-1)], { keepdims: int(0) }],
  ['Relu', [i32(-2, 3)]],
  ['Reshape', [square, l(3, -1)]],
  ['Round', [floats([0.5, 1.5, 2.5])]],
  ['ScatterElements', [l(1, 2, 3), l(-1), l(9)]],
  ['ScatterND', [l(1, 2, 3), longs([1, 0], [2, 1]), l(8, 9)]],
  ['Shape', [square]],
  ['Sign', [l(3, 0)]],
  ['Size', [square]],
  ['Slice', [l(1, 2, 3, 4, 5), l(-1), l(-5), l(0), l(-2)]],
  ['Slice', [square, l(1), l(99), l(1)]],
  ['Slice', [l(1, 2, 3), l(9), l(-99), l(0), l(-1)]],
  ['Split', [l(1, 2, 3, 4), l(1, 3)]],
  ['Sqrt', [floats([9, 4])]],
  ['Squeeze', [longs([2], [1]), l(0)]],
  ['Sub', [l(5, 3), l(2)]],
  ['Tile', [longs([1, 2], [1, 2]), l(2, 1)]],
  ['Transpose', [square]],
  ['Unsqueeze', [l(1, 2), l(0)]],
  ['Where', [bools(1, 0), l(1, 2), l(3, 4)]],
  ['Xor', [bools(1, 1), bools(0, 1)]],
];

// One graph of all cases: the elements become a shape, which both sides must agree on.
function graphOfAll() {
  const constants = new Map<ValueId, Tensor>([['flat', l(-1)]]);
  const nodes: Node[] = [];
  const add = (op: string, inputs: readonly string[], outputs: readonly string[], attributes: Attributes = {}) =>
    nodes.push(createNode({ id: `${op}_${outputs[0]}`, op, inputs, outputs, attributes }));
  cases.forEach(([op, inputs, attributes], i) => {
    const names = inputs.map((input, slot) => {
      constants.set(`c${i}_${slot}`, input);
      return `c${i}_${slot}`;
    });
    add(op, names, op === 'Split' ? [`s${i}`, `r${i}`] : [`r${i}`], attributes);
    add('Cast', [`r${i}`], [`w${i}`], { to: int(7) });
    add('Reshape', [`w${i}`, 'flat'], [`f${i}`]);
    add('ConstantOfShape', [`f${i}`], [`y${i}`]);
  });
  return createGraph({
    inputs: [],
    outputs: cases.map((_, i) => `y${i}`),
    constants,
    nodes,
    opsets: new Map([['', 18]]),
  });
}

it('the elements of shape computations are those that onnxruntime computes', async () => {
  const graph = graphOfAll();
  const { values } = inferShapes(graph);
  const session = await executor.open(graph, { optimize: false });
  const ran = await session.run(new Map());
  const found = cases.map(([op], i) => [op, values.get(`y${i}`)?.shape]);
  expect(found).toEqual(cases.map(([op], i) => [op, ran.get(`y${i}`)?.shape]));
});

it('each op whose elements are followed is among the cases', () => {
  const tried = new Set<string>(cases.map(([op]) => op));
  expect(Object.keys(elementRules).filter((op) => !tried.has(op))).toEqual([]);
});

it('whole numbers that would wrap around are not followed', () => {
  const wrapping = createGraph({
    inputs: [],
    outputs: ['y'],
    constants: new Map<ValueId, Tensor>([
      ['a', i32(2 ** 31 - 1)],
      ['b', i32(1)],
    ]),
    nodes: [
      createNode({ id: 'add', op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] }),
      createNode({ id: 'cast', op: 'Cast', inputs: ['sum'], outputs: ['s'], attributes: { to: int(7) } }),
      createNode({ id: 'make', op: 'ConstantOfShape', inputs: ['s'], outputs: ['y'] }),
    ],
  });
  expect(inferShapes(wrapping).values.get('y')?.shape).toEqual(['?y_0']);
});
