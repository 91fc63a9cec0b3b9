import {
  type Attribute,
  createRandom,
  float,
  floats,
  fromNumbers,
  int,
  ints,
  longs,
  sizeOf,
  type Tensor,
  text,
} from '@espalier/core';

/** One node with its inputs; compared with onnxruntime, or with plain loops for ops of the espalier domain. */
export interface ConformanceCase {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly opset?: number;
  /** What tells it from other cases of the op. */
  readonly note?: string;
}

const random = createRandom(11);
const normal = (...shape: number[]): Tensor =>
  floats(Float32Array.from({ length: sizeOf(shape) }, random.normal), shape);
const uniform = (low: number, high: number, ...shape: number[]): Tensor =>
  floats(
    Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random.next()),
    shape,
  );
const truths = (...shape: number[]): Tensor =>
  fromNumbers(
    'bool',
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.below(2)),
  );
const codes = (dtype: 'int8' | 'uint8' | 'int32', ...shape: number[]): Tensor =>
  fromNumbers(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, () => random.below(200) - (dtype === 'uint8' ? 0 : 100)),
  );
const one = (value: number): Tensor => floats([value], []);

const image = normal(2, 12, 9, 7);
const other = normal(2, 12, 9, 7);
const channel = normal(12, 1, 1);
const table = normal(6, 50);
const positive = uniform(0.1, 3, 6, 50);

const unary = (
  op: string,
  x: Tensor = table,
  attributes: Readonly<Record<string, Attribute>> = {},
  opset = 20,
): ConformanceCase[] => [
  { op, inputs: [x], attributes, opset },
  { op, inputs: [x === table ? image : x], attributes, opset, note: 'of an image' },
];

const binary = (op: string): ConformanceCase[] => [
  { op, inputs: [image, other] },
  { op, inputs: [image, channel], note: 'with a channel vector' },
  { op, inputs: [channel, image], note: 'with a channel vector first' },
  { op, inputs: [table, one(0.7)], note: 'with a number' },
  { op, inputs: [normal(3, 1, 5), normal(4, 1)], note: 'both repeated' },
];

const truth = (op: string): ConformanceCase[] => [{ op, inputs: [truths(4, 5), truths(5)] }];

const window = (
  values: Readonly<Record<string, readonly number[] | number | string>>,
): Readonly<Record<string, Attribute>> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'number' ? int(value) : typeof value === 'string' ? text(value) : ints(value),
    ]),
  );

const windows = [
  { channels: 12, outputs: 10, kernel: [3, 3], more: { pads: [1, 1, 1, 1] } },
  { channels: 12, outputs: 16, kernel: [3, 2], more: { pads: [1, 0, 2, 1], strides: [2, 1] } },
  { channels: 12, outputs: 9, kernel: [2, 3], more: { dilations: [2, 2], pads: [0, 1, 1, 2] } },
  { channels: 12, outputs: 8, kernel: [1, 1], more: { strides: [2, 2] } },
  { channels: 12, outputs: 6, kernel: [3, 3], more: { group: 3, pads: [1, 1, 1, 1] } },
  { channels: 12, outputs: 12, kernel: [3, 3], more: { group: 12, pads: [1, 1, 1, 1], strides: [2, 2] } },
  { channels: 12, outputs: 24, kernel: [3, 3], more: { group: 12, dilations: [2, 2], pads: [2, 2, 2, 2] } },
] as const;

/** Sizes of an output of a window over [9, 7]. */
const outSize = ({ kernel, more }: (typeof windows)[number]): readonly number[] =>
  [9, 7].map((size, i) => {
    const {
      pads = [0, 0, 0, 0],
      strides = [1, 1],
      dilations = [1, 1],
    } = more as Partial<Record<string, readonly number[]>>;
    return Math.floor((size + pads[i]! + pads[i + 2]! - (kernel[i]! - 1) * dilations[i]! - 1) / strides[i]!) + 1;
  });

const convolutions = windows.flatMap((each): ConformanceCase[] => {
  const { channels, outputs, kernel, more } = each;
  const group = 'group' in more ? more.group : 1;
  const w = normal(outputs, channels / group, ...kernel);
  const dy = normal(2, outputs, ...outSize(each));
  const note = JSON.stringify(more);
  const explicit = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1, ...more, kernel_shape: kernel };
  return [
    { op: 'Conv', inputs: [image, w, normal(outputs)], attributes: window({ ...more, kernel_shape: kernel }), note },
    {
      op: 'espalier::ConvInputGradient',
      inputs: [dy, w],
      attributes: window({ ...explicit, input_shape: [9, 7] }),
      note,
    },
    { op: 'espalier::ConvWeightGradient', inputs: [image, dy], attributes: window(explicit), note },
    { op: 'ConvTranspose', inputs: [dy, w, normal(channels)], attributes: window(explicit), note },
  ];
});

const poolings = [
  { kernel_shape: [2, 2], strides: [2, 2] },
  { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
  { kernel_shape: [2, 3], pads: [0, 1, 1, 1], strides: [1, 2] },
] as const;

/** Mean and biased variance of each channel, as BatchNormTraining gives them. */
function moments({ data, shape }: Tensor): readonly [mean: Tensor, variance: Tensor] {
  const [, channels, ...rest] = shape as [number, number, ...number[]]; // two axes at least
  const inner = sizeOf(rest);
  const columns = Array.from({ length: channels }, (_, c) =>
    Array.from(data as Float32Array).filter((_value, i) => Math.floor(i / inner) % channels === c),
  );
  const mean = (list: readonly number[]) => list.reduce((sum, each) => sum + each, 0) / list.length;
  const means = columns.map(mean);
  return [floats(means), floats(columns.map((list, c) => mean(list.map((each) => (each - means[c]!) ** 2))))];
}
const rows = normal(40, 7);

const grid = { bits: 4, signed: 1 };

/** At least one form of every op that has a kernel. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...['Relu', 'Abs', 'Neg', 'Exp', 'Reciprocal', 'Sigmoid', 'Tanh', 'Erf', 'Sign', 'Floor', 'Ceil', 'Round'].flatMap(
    (op) => unary(op),
  ),
  ...[
    'LeakyRelu',
    'HardSigmoid',
    'HardSwish',
    'Elu',
    'Selu',
    'Celu',
    'Softplus',
    'Softsign',
    'ThresholdedRelu',
    'Mish',
  ].flatMap((op) => unary(op)),
  ...['Sin', 'Cos', 'Tan', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'IsNaN', 'IsInf', 'Gelu'].flatMap((op) => unary(op)),
  ...['Log', 'Sqrt'].flatMap((op) => unary(op, positive)),
  ...['Asin', 'Acos', 'Atanh'].flatMap((op) => unary(op, uniform(-0.95, 0.95, 6, 50))),
  ...unary('Acosh', uniform(1, 4, 6, 50)),
  ...unary('Exp', uniform(-90, 89, 40, 10)),
  ...unary('Gelu', table, { approximate: text('tanh') }),
  ...unary('Shrink', table, { bias: float(0.2), lambd: float(0.4) }),
  ...unary('Elu', table, { alpha: float(0.3) }),
  { op: 'com.microsoft::Gelu', inputs: [table] },
  { op: 'com.microsoft::QuickGelu', inputs: [table] },
  { op: 'Clip', inputs: [image, one(-0.5), one(0.8)] },
  { op: 'Clip', inputs: [image, undefined, one(0.8)], note: 'from above' },
  ...[2, 1, 0.5, -1, 1.7].map((power) => ({ op: 'Pow', inputs: [positive, one(power)], note: `to ${power}` })),
  { op: 'Not', inputs: [truths(4, 5)] },
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].flatMap(
    binary,
  ),
  { op: 'PRelu', inputs: [image, channel] },
  { op: 'Sum', inputs: [image, channel, one(2)] },
  { op: 'Mean', inputs: [image, other, channel] },
  ...['Add', 'Sub', 'Mul', 'Equal', 'Greater', 'Less'].map((op) => ({
    op,
    inputs: [codes('int32', 7, 9), codes('int32', 9)],
    note: 'of integers',
  })),
  ...['And', 'Or', 'Xor'].flatMap(truth),
  { op: 'Where', inputs: [truths(2, 12, 9, 7), image, other] },
  { op: 'Where', inputs: [truths(9, 1), image, one(0)], note: 'repeated' },
  { op: 'Where', inputs: [truths(1), table, table], note: 'by one condition' },
  ...(
    [
      [1, table],
      [9, table],
      [7, table],
      [1, codes('int32', 5, 5)],
      [9, codes('int32', 5, 5)],
      [1, truths(4, 4)],
    ] as const
  ).map(([to, x]) => ({
    op: 'Cast',
    inputs: [x],
    attributes: { to: int(to) },
    note: `${x.dtype} to ${to}`,
  })),
  { op: 'CastLike', inputs: [table, codes('int32', 1)] },
  { op: 'MatMul', inputs: [normal(13, 300), normal(300, 19)] },
  { op: 'MatMul', inputs: [normal(2, 3, 5, 7), normal(7, 8)], note: 'one right side' },
  { op: 'MatMul', inputs: [normal(2, 1, 5, 7), normal(3, 7, 8)], note: 'batches repeated' },
  { op: 'MatMul', inputs: [normal(7), normal(7, 8)], note: 'row' },
  { op: 'MatMul', inputs: [normal(4, 7), normal(7)], note: 'column' },
  ...[0, 1].flatMap((a) =>
    [0, 1].map((b) => ({
      op: 'Gemm',
      inputs: [a ? normal(20, 11) : normal(11, 20), b ? normal(9, 20) : normal(20, 9), normal(9)],
      attributes: { transA: int(a), transB: int(b) },
      note: `${a}${b}`,
    })),
  ),
  {
    op: 'Gemm',
    inputs: [normal(4, 5), normal(5, 6), normal(4, 1)],
    attributes: { alpha: float(0.5), beta: float(2) },
    note: 'scaled',
  },
  ...convolutions,
  {
    op: 'Conv',
    inputs: [image, normal(5, 12, 3, 3)],
    attributes: window({ auto_pad: 'SAME_LOWER', strides: [2, 2] }),
    note: 'same',
  },
  { op: 'Conv', inputs: [normal(2, 4, 30), normal(6, 4, 5)], attributes: window({ pads: [2, 1] }), note: '1-D' },
  {
    op: 'ConvTranspose',
    inputs: [normal(1, 4, 5, 5), normal(4, 3, 3, 3)],
    attributes: window({ strides: [2, 2], output_padding: [1, 1] }),
    note: 'output padding',
  },
  ...poolings.flatMap((each): ConformanceCase[] => [
    { op: 'MaxPool', inputs: [image], attributes: window(each), note: JSON.stringify(each) },
    { op: 'AveragePool', inputs: [image], attributes: window(each), note: JSON.stringify(each), opset: 19 },
    {
      op: 'AveragePool',
      inputs: [image],
      attributes: window({ ...each, count_include_pad: 1 }),
      note: `${JSON.stringify(each)} counted`,
      opset: 19,
    },
  ]),
  { op: 'GlobalAveragePool', inputs: [image] },
  { op: 'GlobalMaxPool', inputs: [image] },
  { op: 'BatchNormalization', inputs: [image, normal(12), normal(12), normal(12), uniform(0.5, 2, 12)] },
  {
    op: 'BatchNormalization',
    inputs: [table, normal(50), normal(50), normal(50), uniform(0.5, 2, 50)],
    note: 'of rows',
  },
  { op: 'espalier::BatchNormTraining', inputs: [image, normal(12), normal(12)], outputs: 3 },
  { op: 'espalier::BatchNormTraining', inputs: [normal(40, 7), normal(7), normal(7)], outputs: 3, note: 'of rows' },
  {
    op: 'espalier::BatchNormGradient',
    inputs: [image, normal(12), ...moments(image), other],
    outputs: 3,
  },
  {
    op: 'espalier::BatchNormGradient',
    inputs: [rows, normal(7), ...moments(rows), normal(40, 7)],
    outputs: 3,
    note: 'of rows',
  },
  { op: 'LayerNormalization', inputs: [normal(4, 5, 33), normal(33), normal(33)] },
  { op: 'LayerNormalization', inputs: [image, normal(9, 7)], attributes: { axis: int(2) }, note: 'of two axes' },
  { op: 'InstanceNormalization', inputs: [image, normal(12), normal(12)] },
  { op: 'GroupNormalization', inputs: [image, normal(12), normal(12)], attributes: { num_groups: int(3) }, opset: 21 },
  ...['Softmax', 'LogSoftmax'].flatMap((op): ConformanceCase[] => [
    { op, inputs: [table] },
    ...[1, 2, -1].map((axis) => ({ op, inputs: [image], attributes: { axis: int(axis) }, note: `along ${axis}` })),
    { op, inputs: [image], attributes: { axis: int(2) }, opset: 11, note: 'of opset 11' },
  ]),
  ...[
    'ReduceSum',
    'ReduceMean',
    'ReduceMax',
    'ReduceMin',
    'ReduceProd',
    'ReduceSumSquare',
    'ReduceL1',
    'ReduceL2',
    'ReduceLogSumExp',
  ].flatMap((op) => [
    ...[[0, 2, 3], [1], [2, 3], [3], [0], [-1, 1]].flatMap((axes) =>
      [0, 1].map((keep) => ({
        op,
        inputs: [op === 'ReduceProd' ? uniform(0.8, 1.2, 2, 12, 9, 7) : image, longs(axes)],
        attributes: { keepdims: int(keep) },
        note: `${axes} ${keep}`,
      })),
    ),
    { op, inputs: [op === 'ReduceProd' ? positive : table], note: 'of everything' },
  ]),
  { op: 'ReduceLogSum', inputs: [positive, longs([1])] },
  ...['ArgMax', 'ArgMin'].flatMap((op) =>
    [0, 1, 2].map((axis) => ({
      op,
      inputs: [image],
      attributes: { axis: int(axis), keepdims: int(0) },
      note: `${axis}`,
    })),
  ),
  ...[0, 1].flatMap((exclusive) =>
    [0, 1].map((reverse) => ({
      op: 'CumSum',
      inputs: [table, longs([1], [])],
      attributes: { exclusive: int(exclusive), reverse: int(reverse) },
      note: `${exclusive}${reverse}`,
    })),
  ),
  { op: 'Identity', inputs: [image] },
  { op: 'Dropout', inputs: [image] },
  { op: 'Reshape', inputs: [image, longs([0, -1, 21])] },
  { op: 'Flatten', inputs: [image], attributes: { axis: int(2) } },
  { op: 'Squeeze', inputs: [normal(1, 30, 1, 4), longs([0, -2])] },
  { op: 'Unsqueeze', inputs: [table, longs([0, -1])] },
  ...[
    [0, 2, 3, 1],
    [0, 3, 1, 2],
    [3, 1, 0, 2],
    [1, 0, 2, 3],
  ].map((perm) => ({ op: 'Transpose', inputs: [image], attributes: { perm: ints(perm) }, note: `${perm}` })),
  ...[0, 1, 3].map((axis) => ({
    op: 'Concat',
    inputs: [image, other],
    attributes: { axis: int(axis) },
    note: `${axis}`,
  })),
  { op: 'Split', inputs: [image, longs([3, 4, 5])], attributes: { axis: int(1) }, outputs: 3 },
  { op: 'Split', inputs: [image], attributes: { axis: int(2), num_outputs: int(2) }, outputs: 2, note: 'in two' },
  { op: 'Slice', inputs: [image, longs([1, -1]), longs([9, -8]), longs([1, 3]), longs([2, -2])] },
  { op: 'Slice', inputs: [image, longs([5]), longs([-(2 ** 31)]), longs([2]), longs([-1])], note: 'turned' },
  { op: 'Pad', inputs: [image, longs([0, 1, 0, 2, 0, 3, 1, 0]), one(0.5)] },
  { op: 'Pad', inputs: [image, longs([0, -1, 0, 2, 0, -3, 1, -1])], note: 'cutting' },
  ...['reflect', 'edge', 'wrap'].map((mode) => ({
    op: 'Pad',
    inputs: [image, longs([0, 0, 2, 3, 0, 0, 1, 4])],
    attributes: { mode: text(mode) },
    opset: 19,
    note: mode,
  })),
  { op: 'Gather', inputs: [table, longs([3, -1, 0, 3], [2, 2])] },
  { op: 'Gather', inputs: [image, longs([1], [])], attributes: { axis: int(1) }, note: 'of channels' },
  { op: 'Expand', inputs: [normal(12, 1, 7), longs([2, 12, 9, 7])] },
  { op: 'Tile', inputs: [table, longs([2, 3])] },
  ...['DCR', 'CRD'].map((mode) => ({
    op: 'DepthToSpace',
    inputs: [image],
    attributes: { blocksize: int(2), mode: text(mode) },
    note: mode,
  })),
  { op: 'SpaceToDepth', inputs: [normal(2, 3, 8, 6)], attributes: { blocksize: int(2) } },
  { op: 'Trilu', inputs: [normal(2, 8, 9), longs([1], [])], attributes: { upper: int(0) } },
  { op: 'Trilu', inputs: [normal(2, 8, 9), longs([-2], [])], note: 'upper' },
  { op: 'Shape', inputs: [image] },
  { op: 'Size', inputs: [image] },
  { op: 'GatherElements', inputs: [table, longs([3, -1, 0, 3, 1, 2], [6, 1])], attributes: { axis: int(1) } },
  ...['none', 'add', 'mul', 'max', 'min'].map((reduction) => ({
    op: 'ScatterElements',
    inputs: [table, longs([3, 7, 0, 3, 1, 2], [6, 1]), normal(6, 1)],
    attributes: { axis: int(1), reduction: text(reduction) },
    note: reduction,
  })),
  { op: 'GatherND', inputs: [table, longs([3, 1, 0, -1], [2, 2])] },
  ...['none', 'add', 'max'].map((reduction) => ({
    op: 'ScatterND',
    inputs: [table, longs([3, 0], [2, 1]), normal(2, 50)],
    attributes: { reduction: text(reduction) },
    note: reduction,
  })),
  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'].flatMap(
    (coordinates) =>
      ['nearest', 'linear', 'cubic'].map((mode) => ({
        op: 'Resize',
        inputs: [image, undefined, floats([1, 1, 1.7, 0.65])],
        attributes: { mode: text(mode), coordinate_transformation_mode: text(coordinates) },
        opset: 19,
        note: `${mode} ${coordinates}`,
      })),
  ),
  ...['floor', 'ceil', 'round_prefer_ceil', 'round_prefer_floor'].map((mode) => ({
    op: 'Resize',
    inputs: [image, undefined, undefined, longs([2, 12, 18, 14])],
    attributes: { mode: text('nearest'), nearest_mode: text(mode) },
    note: mode,
  })),
  { op: 'QuantizeLinear', inputs: [image, one(0.02), fromNumbers('uint8', [], [128])] },
  {
    op: 'QuantizeLinear',
    inputs: [image, uniform(0.01, 0.05, 12), fromNumbers('int8', [12], new Int8Array(12).fill(3))],
    note: 'per channel',
  },
  { op: 'DequantizeLinear', inputs: [codes('uint8', 2, 12, 5), one(0.02), fromNumbers('uint8', [], [128])] },
  { op: 'DequantizeLinear', inputs: [codes('int8', 2, 12, 5), uniform(0.01, 0.05, 12)], note: 'per channel' },
  ...[undefined, floats([1], [])].flatMap((zero, i): ConformanceCase[] => [
    { op: 'espalier::FakeQuantize', inputs: [image, one(0.3), zero], attributes: window(grid), note: `${i}` },
    {
      op: 'espalier::FakeQuantizeGradient',
      inputs: [image, one(0.3), zero, other],
      attributes: window(grid),
      outputs: 2,
      note: `${i}`,
    },
  ]),
  {
    op: 'espalier::FakeQuantize',
    inputs: [image, uniform(0.1, 0.5, 12)],
    attributes: window(grid),
    note: 'per channel',
  },
  {
    op: 'espalier::FakeQuantizeGradient',
    inputs: [image, uniform(0.1, 0.5, 12), undefined, other],
    attributes: window(grid),
    outputs: 2,
    note: 'per channel',
  },
];
