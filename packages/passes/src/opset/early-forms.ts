import { floatOf, int, intOf, ints, intsOf, longs, toNumbers } from '@espalier/core';
import { codeOfDtype, dtypeAttribute } from '@espalier/ops';
import { type OpsetRule, type Rewrite, withAttributes, withInput } from './rule.js';

/** Says which inputs might be overwritten; it never changed a result. */
const consumed: OpsetRule = {
  since: 6,
  rewrite: (node) => [withAttributes(node, { drop: ['consumed_inputs'] })],
};

const consuming = [
  ...['Abs', 'Add', 'Ceil', 'Clip', 'Div', 'Elu', 'Exp', 'Floor', 'HardSigmoid', 'InstanceNormalization', 'LeakyRelu'],
  ...['Log', 'Max', 'Mean', 'Min', 'Mul', 'Neg', 'PRelu', 'Reciprocal', 'Relu', 'Selu', 'Sigmoid', 'Sqrt', 'Sub'],
  ...['Sum', 'Tanh'],
];

const without =
  (...names: readonly string[]): Rewrite =>
  (node) => [withAttributes(node, { drop: names })];

/** Files for inference set `is_test`, or leave it out together with the outputs that training needs. */
const testedNorm: Rewrite = (node, conversion) => {
  if (intOf(node, 'is_test', 1) !== 1) conversion.refuse('a batch norm in training form (is_test = 0)');
  return [withAttributes(node, { drop: ['is_test'] })];
};

/** The dtype as a code; it was a word. */
const cast: Rewrite = (node, conversion) => {
  const to = dtypeAttribute(node, 'to');
  if (to === undefined) return conversion.refuse('a dtype that is not known');
  return [withAttributes(node, { set: { to: int(codeOfDtype(to)) } })];
};

const reshape: Rewrite = (node, conversion) => {
  const plain = withAttributes(node, { drop: ['shape', 'consumed_inputs'] });
  return [withInput(plain, 1, conversion.constant(`${node.id}_shape`, longs(intsOf(node, 'shape', []))))];
};

const split: Rewrite = (node, conversion) => {
  const sizes = conversion.constantOf(node.inputs[1]);
  if (!sizes && node.inputs[1] !== undefined) return conversion.refuse('sizes that are computed');
  const axis = int(intOf(node, 'axis', 0));
  const parts = sizes ? { split: ints(Array.from(toNumbers(sizes))) } : {};
  return [{ ...withAttributes(node, { set: { axis, ...parts } }), inputs: node.inputs.slice(0, 1) }];
};

/** One axis repeated a number of times, as one number for each axis. */
const tile: Rewrite = (node, conversion) => {
  const rank = conversion.infoOf(node.inputs[0])?.shape?.length;
  const [times, axis] = [1, 2].map((slot) => conversion.constantOf(node.inputs[slot]));
  if (rank === undefined || !times || !axis) return conversion.refuse('repeats that are computed, or an unknown rank');
  const repeats = new Array<number>(rank).fill(1).with(toNumbers(axis)[0]!, toNumbers(times)[0]!); // single numbers
  return [{ ...node, inputs: [node.inputs[0], conversion.constant(`${node.id}_repeats`, longs(repeats))] }];
};

const upsample: Rewrite = (node) => {
  const [height, width] = [floatOf(node, 'height_scale', 1), floatOf(node, 'width_scale', 1)];
  const scales = { kind: 'floats', value: [1, 1, height, width] } as const;
  return [withAttributes(node, { drop: ['height_scale', 'width_scale'], set: { scales } })];
};

const wholePower: Rewrite = (node) => [withAttributes(node, { set: { p: int(floatOf(node, 'p', 2)) } })];

const pad: Rewrite = (node) => [
  withAttributes(node, { drop: ['paddings'], set: { pads: ints(intsOf(node, 'paddings', [])) } }),
];

const recurrent: readonly OpsetRule[] = [{ since: 7, rewrite: without('output_sequence') }];

/** Forms that ended before opset 7, but for those of broadcasting. */
export const earlyFormRules: Readonly<Record<string, readonly OpsetRule[]>> = {
  ...Object.fromEntries(consuming.map((op) => [op, [consumed]])),
  BatchNormalization: [consumed, { since: 7, rewrite: testedNorm }],
  Cast: [{ since: 6, rewrite: cast }],
  Concat: [{ since: 4, rewrite: (node) => [withAttributes(node, { set: { axis: int(intOf(node, 'axis', 1)) } })] }],
  Dropout: [consumed, { since: 7, rewrite: without('is_test') }],
  GRU: recurrent,
  GlobalLpPool: [{ since: 2, rewrite: wholePower }],
  LSTM: recurrent,
  LpPool: [{ since: 2, rewrite: wholePower }],
  Pad: [{ since: 2, rewrite: pad }],
  RNN: recurrent,
  Reshape: [{ since: 5, rewrite: reshape }],
  Split: [{ since: 2, rewrite: split }],
  Tile: [{ since: 6, typed: true, rewrite: tile }],
  Upsample: [{ since: 7, rewrite: upsample }],
};
