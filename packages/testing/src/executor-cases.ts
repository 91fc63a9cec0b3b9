import {
  type Attribute,
  buildGraph,
  type Dim,
  type DType,
  floats,
  fromNumbers,
  type Graph,
  int,
  ints,
  longs,
  type Tensor,
} from '@espalier/core';

/** A graph with inputs and the outputs that any executor must give for them. */
export interface ExecutorCase {
  readonly name: string;
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Tensor>;
  readonly wanted: ReadonlyMap<
    string,
    { readonly dtype: DType; readonly shape: readonly number[]; readonly values: readonly number[] }
  >;
}

interface OneOp {
  readonly name: string;
  readonly op: string;
  /** The first is fed, the others are constants. */
  readonly inputs: readonly Tensor[];
  /** The declared shape of the input, where it is not the shape fed. */
  readonly declared?: readonly Dim[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly wanted: { readonly dtype?: DType; readonly shape: readonly number[]; readonly values: readonly number[] };
}

const uint8 = (values: readonly number[], shape: readonly number[]) => fromNumbers('uint8', shape, values);

// Hand-checked numbers; the ops that calibration and quantized graphs lean on are among them.
const single: readonly OneOp[] = [
  {
    name: 'adds with broadcasting',
    op: 'Add',
    inputs: [floats([1, 2, 3, 4], [2, 2]), floats([10, 20])],
    wanted: { shape: [2, 2], values: [11, 22, 13, 24] },
  },
  {
    name: 'takes any batch for a named size',
    op: 'Relu',
    inputs: [floats([-1, 2, -3], [3, 1])],
    declared: ['batch', 1],
    wanted: { shape: [3, 1], values: [0, 2, 0] },
  },
  {
    name: 'multiplies matrices',
    op: 'MatMul',
    inputs: [floats([1, 2, 3, 4], [2, 2]), floats([5, 6, 7, 8], [2, 2])],
    wanted: { shape: [2, 2], values: [19, 22, 43, 50] },
  },
  {
    name: 'multiplies a transposed matrix and adds a bias',
    op: 'Gemm',
    inputs: [floats([1, 2], [1, 2]), floats([3, 4, 5, 6], [2, 2]), floats([100, 200])],
    attributes: { transB: int(1) },
    wanted: { shape: [1, 2], values: [111, 217] },
  },
  {
    name: 'convolves with padding',
    op: 'Conv',
    inputs: [floats([1, 2, 3, 4], [1, 1, 2, 2]), floats([0, 1, 0, 1, 1, 1, 0, 1, 0], [1, 1, 3, 3]), floats([0.5])],
    attributes: { pads: ints([1, 1, 1, 1]) },
    wanted: { shape: [1, 1, 2, 2], values: [6.5, 7.5, 8.5, 9.5] },
  },
  {
    name: 'takes the largest of each window',
    op: 'MaxPool',
    inputs: [floats([1, 5, 3, 2, 8, 4, 7, 6], [1, 1, 2, 4])],
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
    wanted: { shape: [1, 1, 1, 2], values: [8, 7] },
  },
  {
    name: 'quantizes with ties to even, and saturates',
    op: 'QuantizeLinear',
    inputs: [floats([0.5, 1.5, 2.5, -9, 1000]), floats([1], []), uint8([3], [])],
    wanted: { dtype: 'uint8', shape: [5], values: [3, 5, 5, 0, 255] },
  },
  {
    name: 'dequantizes by channel',
    op: 'DequantizeLinear',
    inputs: [fromNumbers('int8', [2, 2], [-1, 2, 3, -128]), floats([0.5, 2]), fromNumbers('int8', [2], [0, 1])],
    attributes: { axis: int(0) },
    wanted: { shape: [2, 2], values: [-0.5, 1, 4, -258] },
  },
  {
    name: 'reshapes by an int64 constant',
    op: 'Reshape',
    inputs: [floats([1, 2, 3, 4], [4]), longs([2, -1])],
    wanted: { shape: [2, 2], values: [1, 2, 3, 4] },
  },
  {
    name: 'reads and gives int64',
    op: 'Add',
    inputs: [longs([1, -2]), longs([2 ** 40, 2])],
    wanted: { dtype: 'int64', shape: [2], values: [2 ** 40 + 1, 0] },
  },
  {
    name: 'gives booleans',
    op: 'Greater',
    inputs: [floats([1, 3]), floats([2, 2])],
    wanted: { dtype: 'bool', shape: [2], values: [0, 1] },
  },
  {
    name: 'reduces to a scalar',
    op: 'ReduceMax',
    inputs: [floats([1, 7, -2])],
    attributes: { keepdims: int(0) },
    wanted: { shape: [], values: [7] },
  },
];

function oneOp({ name, op, inputs, declared, attributes, wanted }: OneOp): ExecutorCase {
  const b = buildGraph();
  const [fed, ...constants] = inputs as readonly [Tensor, ...Tensor[]]; // every case has an input
  const x = b.input('x', fed.dtype, declared ?? fed.shape);
  const names = constants.map((tensor, i) => b.constant(`c${i}`, tensor));
  const dtype = wanted.dtype ?? 'float32';
  const y = b.add(op, [x, ...names], { name: 'y', ...(attributes ? { attributes } : {}) });
  b.output(b.info(y, { dtype, shape: declared ?? wanted.shape }));
  return { name, graph: b.finish(), feeds: new Map([['x', fed]]), wanted: new Map([['y', { ...wanted, dtype }]]) };
}

function twoOutputs(): ExecutorCase {
  const b = buildGraph();
  const [x, z] = [b.input('x', 'float32', [2]), b.input('z', 'float32', [2])];
  for (const op of ['Add', 'Sub'])
    b.output(b.info(b.add(op, [x, z], { name: op.toLowerCase() }), { dtype: 'float32', shape: [2] }));
  return {
    name: 'gives several outputs of several inputs',
    graph: b.finish(),
    feeds: new Map([
      ['x', floats([1, 2])],
      ['z', floats([10, 20])],
    ]),
    wanted: new Map([
      ['add', { dtype: 'float32', shape: [2], values: [11, 22] }],
      ['sub', { dtype: 'float32', shape: [2], values: [-9, -18] }],
    ]),
  };
}

/** The last of these has two outputs. */
export const executorCases = (): readonly ExecutorCase[] => [...single.map(oneOp), twoOutputs()];
