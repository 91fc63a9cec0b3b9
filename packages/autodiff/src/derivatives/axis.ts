import type { ValueId } from '@espalier/core';
import type { DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';

/** An axis counted from the front. */
export const frontAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The size of a value along an axis. @throws AUTODIFF_FORM where it is only known by name. */
export function sizeAlong(c: DerivativeContext, value: ValueId, axis: number): number {
  const dim = c.shape(value)[axis];
  if (typeof dim === 'number') return dim;
  throw unsupportedForm(c.node, `a known size of axis ${axis} of "${value}"`, `"${dim}"`);
}
