import { createNode, intOf, longs, type Node, type ValueId } from '@espalier/core';
import { type Conversion, type OpsetRule, type Rewrite, withAttributes } from './rule.js';

const spatial: Rewrite = (node, conversion) => {
  if (intOf(node, 'spatial', 1) !== 1) conversion.refuse('a batch norm with statistics per position (spatial = 0)');
  return [withAttributes(node, { drop: ['spatial'] })];
};

/** Opset 14 tells training by an attribute and returns other statistics. */
const trainingOutputs: Rewrite = (node, conversion) => {
  if (node.outputs.slice(1).some((value) => value !== undefined && conversion.isRead(value)))
    conversion.refuse('a batch norm in training form');
  return [{ ...node, outputs: node.outputs.slice(0, 1) }];
};

/** Scale and bias are per group before opset 21, per channel from then on: each is repeated within its group. */
const perChannel: Rewrite = (node, conversion) => {
  const groups = intOf(node, 'num_groups', 0);
  const channels = conversion.infoOf(node.inputs[0])?.shape?.[1];
  if (typeof channels !== 'number' || groups < 1 || channels % groups !== 0) {
    return conversion.refuse('a group norm over a number of channels that is not known');
  }
  if (channels === groups) return [node];
  const scale = repeatedWithin(node, { slot: 1, groups, each: channels / groups, conversion });
  const bias = repeatedWithin(node, { slot: 2, groups, each: channels / groups, conversion });
  return [...scale.nodes, ...bias.nodes, { ...node, inputs: [node.inputs[0], scale.value, bias.value] }];
};

interface Repeat {
  readonly slot: number;
  readonly groups: number;
  readonly each: number;
  readonly conversion: Conversion;
}

/** [g] -> [g, 1] -> [g, each] -> [g each], as nodes: constants fold away later. */
function repeatedWithin(
  node: Node,
  { slot, groups, each, conversion }: Repeat,
): { nodes: readonly Node[]; value: ValueId } {
  const step = (op: string, input: ValueId, sizes: readonly number[]) => {
    const name = conversion.fresh(`${node.inputs[slot]}_${op.toLowerCase()}`);
    const target = conversion.constant(`${name}_sizes`, longs(sizes));
    return createNode({ id: name, op, inputs: [input, target], outputs: [name] });
  };
  const column = step('Reshape', node.inputs[slot]!, [groups, 1]); // a required input
  const table = step('Expand', column.id, [groups, each]);
  const flat = step('Reshape', table.id, [groups * each]);
  return { nodes: [column, table, flat], value: flat.id };
}

const outputHalfPixel: Rewrite = (node) => [
  withAttributes(node, { set: { coordinate_transformation_mode: { kind: 'text', value: 'output_half_pixel' } } }),
];

/** Normalisation ops, and the others whose meaning (not only form) has a new default. */
export const normalizationRules: Readonly<Record<string, readonly OpsetRule[]>> = {
  BatchNormalization: [
    { since: 9, rewrite: spatial },
    { since: 14, rewrite: trainingOutputs },
  ],
  GroupNormalization: [{ since: 21, typed: true, rewrite: perChannel }],
  RoiAlign: [{ since: 16, rewrite: outputHalfPixel }],
  Scan: [{ since: 9, rewrite: (_, conversion) => conversion.refuse('a Scan with a batch axis') }],
};
