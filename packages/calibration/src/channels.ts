import { type Graph, type Need, sizeOf, tensorInfo, type ValueId } from '@espalier/core';
import { impossibleNeed } from './errors.js';

/** A shape seen as [outer, count, inner] around one of its axes. */
export const channelsOf = (shape: readonly number[], axis: number) => ({
  outer: sizeOf(shape.slice(0, axis)),
  count: shape[axis]!,
  inner: sizeOf(shape.slice(axis + 1)),
});

/**
 * The axis of a need, counted from the front where the rank is known.
 * @throws CALIBRATION_NEED when the value has no such axis.
 */
export function checkedAxis(
  need: Need & { readonly value?: ValueId; readonly axis: number },
  model: Graph | undefined,
  rank = model && need.value !== undefined ? tensorInfo(model, need.value)?.shape?.length : undefined,
): number {
  const { axis } = need;
  const whole = Number.isInteger(axis);
  if (whole && rank === undefined) return axis;
  if (whole && rank !== undefined && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  throw impossibleNeed(need, {
    expected: rank === undefined ? 'a whole number as axis' : `an axis of a value with ${rank} axes`,
    found: String(axis),
  });
}
