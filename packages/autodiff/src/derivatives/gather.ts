import { int, intOf, ints, text, textOf, type ValueId } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';
import { frontAxis } from './axis.js';

const add = { reduction: text('add') };
const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

/**
 * Adds the slices of `value` up where `indices` say along `axis` of zeros: the transpose of a Gather. The axes of the
 * indices stand in `value` where `axis` stands in the result, whose shape is the int64 value `shape`.
 */
export function scatterAlong(
  c: DerivativeContext,
  value: ValueId,
  of: { readonly axis: number; readonly indices: ValueId; readonly indexRank: number; readonly shape: ValueId },
): ValueId {
  const { axis, indices, indexRank, shape } = of;
  const rank = c.shape(c.input(0)).length;
  // The indexed axis goes first, so that one ScatterND writes whole slices.
  const order = [axis, ...range(rank).filter((i) => i !== axis)];
  const inverse = range(rank).map((i) => order.indexOf(i));
  const valueOrder = [...range(indexRank, axis), ...range(axis), ...range(rank - axis - 1, axis + indexRank)];
  const places = c.emit('Unsqueeze', [indices, c.longs([indexRank])]);
  const front = axis === 0 ? shape : c.emit('Gather', [shape, c.longs(order)]);
  const zeros = c.emit('Expand', [c.scalar(0), front]);
  const updates = axis === 0 ? value : c.emit('Transpose', [value], { perm: ints(valueOrder) });
  const summed = c.emit('ScatterND', [zeros, places, updates], add);
  return axis === 0 ? summed : c.emit('Transpose', [summed], { perm: ints(inverse) });
}

/** Slices that were read add up where they came from (embeddings, index lookups). */
const gather: Derivative = (c) => {
  const x = c.input(0);
  const axis = frontAxis(intOf(c.node, 'axis', 0), c.shape(x).length);
  const indexRank = c.shape(c.input(1)).length;
  return [scatterAlong(c, c.gradient(0)!, { axis, indices: wide(c, c.input(1)), indexRank, shape: c.shapeOf(x) })];
};

// ScatterND takes int64 only.
const wide = (c: DerivativeContext, indices: ValueId): ValueId =>
  c.isConstant(indices) ? indices : c.emit('Cast', [indices], { to: int(7) });

const gatherElements: Derivative = (c) => [
  c.emit('ScatterElements', [c.zerosLike(c.input(0)), c.input(1), c.gradient(0)], {
    axis: int(intOf(c.node, 'axis', 0)),
    ...add,
  }),
];

const gatherND: Derivative = (c) => {
  if (intOf(c.node, 'batch_dims', 0) !== 0) throw unsupportedForm(c.node, 'batch_dims 0', 'another');
  return [c.emit('ScatterND', [c.zerosLike(c.input(0)), c.input(1), c.gradient(0)], add)];
};

/** Overwritten elements get no gradient; the updates get dy from their places. */
const scatter =
  (write: string, read: string): Derivative =>
  (c) => {
    const reduction = textOf(c.node, 'reduction', 'none');
    if (reduction !== 'none' && reduction !== 'add') {
      throw unsupportedForm(c.node, 'reduction none or add', `reduction ${reduction}`);
    }
    const dy = c.gradient(0)!;
    const axis = write === 'ScatterElements' ? { axis: int(intOf(c.node, 'axis', 0)) } : {};
    const kept = () => c.emit(write, [dy, c.input(1), c.zerosLike(c.input(2))], axis);
    return [
      c.wants(0) ? (reduction === 'add' ? dy : kept()) : undefined,
      undefined,
      c.wants(2) ? c.emit(read, [dy, c.input(1)], axis) : undefined,
    ];
  };

/** The chosen elements of a line send dy back to where they stood. */
const topK: Derivative = (c) => [
  c.emit('ScatterElements', [c.zerosLike(c.input(0)), c.output(1), c.gradient(0)], {
    axis: int(intOf(c.node, 'axis', -1)),
  }),
];

/** Ops that read and write by index. */
export const gathering = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatter('ScatterElements', 'GatherElements'),
  ScatterND: scatter('ScatterND', 'GatherND'),
  TopK: topK,
} satisfies Readonly<Record<string, Derivative>>;
