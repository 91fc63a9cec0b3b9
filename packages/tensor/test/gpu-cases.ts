import { createRandom, float, floats, fromNumbers, int, ints, longs, sizeOf, type Tensor, text } from '@espalier/core';
import type { ConformanceCase } from './conformance-cases.js';

const random = createRandom(17);
const normal = (...shape: number[]): Tensor =>
  floats(Float32Array.from({ length: sizeOf(shape) }, random.normal), shape);
/** Few different values, so that there are ties. */
const coarse = (...shape: number[]): Tensor =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, () => random.below(4)),
    shape,
  );
const shares = (...shape: number[]): Tensor => floats(Float32Array.from({ length: sizeOf(shape) }, random.next), shape);
const borders = fromNumbers(
  'float32',
  [400],
  Array.from(
    { length: 400 },
    (_, i) => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 80, -80][i % 8]!,
  ),
);
const five = normal(2, 3, 4, 5, 6);
const six = normal(2, 3, 2, 3, 2, 4);

/** Pads, strides and groups as attributes. */
const attributes = (of: Readonly<Record<string, readonly number[] | number>>) =>
  Object.fromEntries(
    Object.entries(of).map(([name, value]) => [name, typeof value === 'number' ? int(value) : ints(value)]),
  );

/** A convolution and its gradients, of sizes that the GPU has kernels of its own for. */
const convolutions = [
  { x: [2, 16, 12, 12], w: [16, 16, 3, 3], of: { pads: [1, 1, 1, 1] } },
  { x: [2, 3, 14, 14], w: [8, 3, 7, 7], of: { pads: [3, 3, 3, 3], strides: [2, 2] } },
  { x: [2, 32, 9, 9], w: [64, 32, 1, 1], of: {} },
  { x: [3, 8, 5, 5], w: [12, 8, 5, 5], of: {} },
  { x: [2, 16, 12, 12], w: [16, 1, 3, 3], of: { pads: [1, 1, 1, 1], group: 16 } },
  { x: [1, 8, 11, 11], w: [8, 1, 5, 5], of: { pads: [2, 2, 2, 2], strides: [2, 2], group: 8 } },
  { x: [2, 4, 12, 10], w: [6, 4, 3, 3], of: { strides: [2, 2], dilations: [2, 2], pads: [2, 2, 2, 2] } },
].flatMap(({ x, w, of }): ConformanceCase[] => {
  const given = {
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    group: 1,
    ...of,
    kernel_shape: w.slice(2),
  };
  const places = [0, 1].map((i) => {
    const reach = (w[i + 2]! - 1) * given.dilations[i]! + 1;
    return Math.floor((x[i + 2]! + given.pads[i]! + given.pads[i + 2]! - reach) / given.strides[i]!) + 1;
  });
  const dy = normal(x[0]!, w[0]!, ...places);
  const note = `[${x}] by [${w}]`;
  return [
    { op: 'Conv', inputs: [normal(...x), normal(...w)], attributes: attributes(given), note },
    {
      op: 'espalier::ConvInputGradient',
      inputs: [dy, normal(...w)],
      attributes: attributes({ ...given, input_shape: x.slice(2) }),
      note,
    },
    { op: 'espalier::ConvWeightGradient', inputs: [normal(...x), dy], attributes: attributes(given), note },
  ];
});

/** Forms in which kernels for GPUs differ from each other, or are known to go wrong. */
export const gpuCases: readonly ConformanceCase[] = [
  // Each of these takes another program: small results, long sums, small tiles, large tiles, batches.
  ...[
    [
      [3, 3000],
      [3000, 4],
    ],
    [
      [20, 2500],
      [2500, 20],
    ],
    [
      [8, 100],
      [100, 64],
    ],
    [
      [140, 36],
      [36, 140],
    ],
    [
      [5, 33, 20],
      [5, 20, 34],
    ],
    [
      [2, 1, 9, 64],
      [3, 64, 32],
    ],
  ].map(([a, b]) => ({ op: 'MatMul', inputs: [normal(...a!), normal(...b!)], note: `[${a}] [${b}]` })),
  ...[0, 1].map((transB) => ({
    op: 'Gemm',
    inputs: [normal(2100, 24), transB ? normal(20, 2100) : normal(2100, 20), normal(20)],
    attributes: attributes({ transA: 1, transB }),
    note: `long ${transB}`,
  })),
  ...convolutions,
  // Any of equal elements is the extreme, but only the first (or last) is the answer.
  ...['ArgMax', 'ArgMin'].flatMap((op) =>
    [0, 1].map((last) => ({
      op,
      inputs: [coarse(3, 500)],
      attributes: attributes({ axis: 1, select_last_index: last }),
      note: `ties ${last}`,
    })),
  ),
  // One thread that adds a million numbers loses digits.
  { op: 'ReduceSum', inputs: [shares(2 ** 18)], note: 'long' },
  { op: 'ReduceMean', inputs: [shares(4, 2 ** 17), longs([1])], note: 'long' },
  { op: 'ReduceSumSquare', inputs: [shares(2 ** 13, 4), longs([0])], note: 'long' },
  // More than four axes.
  { op: 'Add', inputs: [six, normal(3, 2, 1, 2, 4)] },
  { op: 'Where', inputs: [fromNumbers('bool', [5, 1], [1, 0, 1, 1, 0]), five, normal(2, 3, 4, 5, 6)], note: '5' },
  { op: 'Relu', inputs: [six], note: '6' },
  ...['Sign', 'Elu', 'ThresholdedRelu'].map((op) => ({ op, inputs: [five], note: '5' })),
  { op: 'ArgMax', inputs: [five], attributes: attributes({ axis: 2 }), note: '5' },
  { op: 'Trilu', inputs: [five], note: '5' },
  { op: 'LogSoftmax', inputs: [five], attributes: attributes({ axis: 1 }), note: '5' },
  { op: 'Pad', inputs: [five, longs([0, 1, 0, 2, 1, 1, 0, 2, 0, 1]), floats([0.5], [])], note: '5' },
  { op: 'Transpose', inputs: [five], attributes: attributes({ perm: [4, 1, 3, 0, 2] }), note: '5' },
  { op: 'Transpose', inputs: [six], attributes: attributes({ perm: [0, 3, 1, 5, 4, 2] }), note: '6' },
  { op: 'Slice', inputs: [five, longs([1, 0]), longs([4, 6]), longs([2, 4]), longs([2, 3])], note: '5' },
  { op: 'Concat', inputs: [five, five], attributes: attributes({ axis: 3 }), note: '5' },
  { op: 'Tile', inputs: [five, longs([1, 2, 1, 1, 2])], note: '5' },
  { op: 'Expand', inputs: [normal(1, 3, 1, 5, 1), longs([2, 3, 4, 5, 6])], note: '5' },
  { op: 'Gather', inputs: [five, longs([2, 0, 2])], attributes: attributes({ axis: 3 }), note: '5' },
  { op: 'ReduceMax', inputs: [six, longs([1, 3, 5])], note: '6' },
  { op: 'ReduceSum', inputs: [five, longs([0, 4])], note: '5' },
  { op: 'Softmax', inputs: [five], attributes: attributes({ axis: 2 }), note: '5' },
  // Infinities, and numbers at which an exponential overflows.
  ...[
    'Relu',
    'Abs',
    'Neg',
    'Exp',
    'Reciprocal',
    'Sigmoid',
    'Tanh',
    'Erf',
    'Sign',
    'Floor',
    'Ceil',
    'Round',
    'Elu',
    'Selu',
    'Softplus',
    'HardSigmoid',
    'LeakyRelu',
    'ThresholdedRelu',
    'IsInf',
    'IsNaN',
  ].map((op) => ({ op, inputs: [borders], opset: 20, note: 'of infinities' })),
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Equal', 'Greater', 'Less'].map((op) => ({
    op,
    inputs: [
      borders,
      fromNumbers(
        'float32',
        [400],
        Array.from({ length: 400 }, (_, i) => borders.data[(i * 3 + (i >> 3)) % 8] as number),
      ),
    ],
    note: 'of infinities',
  })),
  { op: 'Clip', inputs: [borders, floats([-2], []), floats([3], [])], note: 'of infinities' },
  { op: 'ReduceMax', inputs: [borders], note: 'of infinities' },
  {
    op: 'LogSoftmax',
    inputs: [
      floats(
        Float32Array.from({ length: 300 }, (_, i) => (i % 10 === 3 ? 15 : -random.next())),
        [30, 10],
      ),
    ],
    note: 'of sure classes',
  },
  { op: 'LogSoftmax', inputs: [coarse(40, 10)], note: 'of ties' },
  {
    op: 'Softmax',
    inputs: [
      floats(
        Float32Array.from({ length: 300 }, (_, i) => (i % 3 ? Number.NEGATIVE_INFINITY : 90 + random.next())),
        [30, 10],
      ),
    ],
    note: 'masked',
  },
  { op: 'Pow', inputs: [normal(10, 40), floats([3], [])], note: 'to 3' },
  { op: 'Pow', inputs: [coarse(10, 40), floats([0.3], [])], note: 'of zeros' },
  { op: 'Dropout', inputs: [normal(3, 200)] },
  {
    op: 'MaxPool',
    inputs: [
      floats(
        (normal(1, 4, 9, 9).data as Float32Array).map((each) => each - 9),
        [1, 4, 9, 9],
      ),
    ],
    attributes: attributes({ kernel_shape: [3, 3], pads: [1, 1, 1, 1], dilations: [2, 2] }),
    note: 'of negative numbers',
  },
  {
    op: 'Elu',
    inputs: [floats(Float32Array.from({ length: 300 }, () => random.normal() / 1000))],
    attributes: { alpha: float(1) },
    note: 'near 0',
  },
  {
    op: 'Resize',
    inputs: [normal(1, 2, 8, 8), undefined, floats([1, 1, 2, 2])],
    attributes: { mode: text('nearest') },
    note: 'twice',
  },
];
