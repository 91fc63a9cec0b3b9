import {
  createNode,
  floatOf,
  floats,
  fromNumbers,
  int,
  intOf,
  intsOf,
  isFloat,
  longs,
  type Node,
  scalar,
  textOf,
} from '@espalier/core';
import { codeOfDtype } from '@espalier/ops';
import { type Conversion, type OpsetRule, type Rewrite, withAttributes, withInput } from './rule.js';

/** An integer list that became an input. */
const listToInput =
  (name: string, slot: number): Rewrite =>
  (node, conversion) => {
    const list = intsOf(node, name, undefined);
    if (list === undefined) return [node];
    const value = conversion.constant(`${node.id}_${name}`, longs(list));
    return [withInput(withAttributes(node, { drop: [name] }), slot, value)];
  };

const axesSince = (since: number): readonly OpsetRule[] => [{ since, rewrite: listToInput('axes', 1) }];

/** A float attribute as a scalar of the data's dtype. */
function bound(node: Node, name: string, conversion: Conversion): string | undefined {
  const value = floatOf(node, name, undefined);
  if (value === undefined) return undefined;
  const dtype = conversion.infoOf(node.inputs[0])?.dtype ?? 'float32';
  if (!isFloat(dtype)) conversion.refuse(`a ${name} for ${dtype} data, which this opset does not take`);
  return conversion.constant(`${node.id}_${name}`, fromNumbers(dtype, [], [value]));
}

const clip: Rewrite = (node, conversion) => {
  const [min, max] = [bound(node, 'min', conversion), bound(node, 'max', conversion)];
  return [withInput(withInput(withAttributes(node, { drop: ['min', 'max'] }), 1, min), 2, max)];
};

const pad: Rewrite = (node, conversion) => {
  const pads = conversion.constant(`${node.id}_pads`, longs(intsOf(node, 'pads', [])));
  const padded = withInput(withAttributes(node, { drop: ['pads', 'value'] }), 1, pads);
  const value = floatOf(node, 'value', 0) === 0 ? undefined : bound(node, 'value', conversion);
  return [withInput(padded, 2, value)];
};

const slice: Rewrite = (node, conversion) => {
  let moved = withAttributes(node, { drop: ['starts', 'ends', 'axes'] });
  for (const [i, name] of ['starts', 'ends', 'axes'].entries()) {
    const list = intsOf(node, name, undefined);
    if (list) moved = withInput(moved, i + 1, conversion.constant(`${node.id}_${name}`, longs(list)));
  }
  return [moved];
};

const topK: Rewrite = (node, conversion) => {
  const k = conversion.constant(`${node.id}_k`, longs([intOf(node, 'k', 1)]));
  return [withInput(withAttributes(node, { drop: ['k'] }), 1, k)];
};

/** The ratio matters in training only. */
const dropout: Rewrite = (node, conversion) => {
  const ratio = floatOf(node, 'ratio', undefined);
  const plain = withAttributes(node, { drop: ['ratio'] });
  return [ratio === undefined ? plain : withInput(plain, 1, conversion.constant(`${node.id}_ratio`, scalar(ratio)))];
};

/** The mask is boolean from here on; it had the data's dtype before. */
const booleanMask: Rewrite = (node, conversion) => {
  const [data, mask] = node.outputs;
  if (mask === undefined || !conversion.isRead(mask)) return [{ ...node, outputs: [data] }];
  const dtype = conversion.infoOf(data)?.dtype;
  if (dtype === undefined) return conversion.refuse('a Dropout whose mask is used, on data of an unknown dtype');
  const truth = conversion.fresh(`${mask}_truth`);
  const to = int(codeOfDtype(dtype));
  return [
    { ...node, outputs: [data, truth] },
    createNode({ id: truth, op: 'Cast', inputs: [truth], outputs: [mask], attributes: { to } }),
  ];
};

const split: readonly OpsetRule[] = [
  { since: 13, rewrite: listToInput('split', 1) },
  {
    since: 18,
    rewrite: (node) =>
      node.inputs[1] === undefined && !node.attributes.has('num_outputs')
        ? [withAttributes(node, { set: { num_outputs: { kind: 'int', value: node.outputs.length } } })]
        : [node],
  },
];

const upsampleScales: Rewrite = (node, conversion) => {
  const attribute = node.attributes.get('scales');
  if (attribute?.kind !== 'floats') return [node];
  const scales = conversion.constant(`${node.id}_scales`, floats(attribute.value));
  return [withInput(withAttributes(node, { drop: ['scales'] }), 1, scales)];
};

/** DFT's axis counted from the front and defaulted to 1; as an input it defaults to -2. */
const dft: Rewrite = (node, conversion) => {
  const axis = conversion.constant(`${node.id}_axis`, longs([intOf(node, 'axis', 1)], []));
  return [withInput(withAttributes(node, { drop: ['axis'] }), 2, axis)];
};

const gridModes: ReadonlyMap<string, string> = new Map([
  ['bilinear', 'linear'],
  ['bicubic', 'cubic'],
]);

const gridSample: Rewrite = (node) => {
  const mode = textOf(node, 'mode', 'bilinear');
  return [withAttributes(node, { set: { mode: { kind: 'text', value: gridModes.get(mode) ?? mode } } })];
};

const reductions = ['Max', 'Min', 'Mean', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'];

/** Ops whose attributes became inputs or took other names. */
export const movedAttributeRules: Readonly<Record<string, readonly OpsetRule[]>> = {
  Squeeze: axesSince(13),
  Unsqueeze: axesSince(13),
  ReduceSum: axesSince(13),
  ...Object.fromEntries(reductions.map((name) => [`Reduce${name}`, axesSince(18)])),
  Split: split,
  Slice: [{ since: 10, rewrite: slice }],
  Clip: [{ since: 11, typed: true, rewrite: clip }],
  Pad: [{ since: 11, typed: true, rewrite: pad }],
  TopK: [{ since: 10, rewrite: topK }],
  Dropout: [
    { since: 10, typed: true, rewrite: booleanMask },
    { since: 12, rewrite: dropout },
  ],
  DFT: [{ since: 20, rewrite: dft }],
  GridSample: [{ since: 20, rewrite: gridSample }],
  Upsample: [
    { since: 9, rewrite: upsampleScales },
    { since: 10, rewrite: (node) => [{ ...node, op: 'Resize' }] },
  ],
  Scatter: [{ since: 11, rewrite: (node) => [{ ...node, op: 'ScatterElements' }] }],
};
