import { sizeOf, type Tensor, type ValueId } from '@espalier/core';
import { numbersOf } from '@espalier/ops';
import { snrDb } from '../comparison/snr-db.js';
import { sizesDiffer } from '../errors.js';
import { linearCka } from './linear-cka.js';

/** The drift of a representation. */
export interface ValueDrift {
  readonly value: ValueId;
  /** Signal-to-noise ratio in decibels; null where shapes differ (pruned channels), so that numbers have no partner. */
  readonly snrDb: number | null;
  /** Linear centered kernel alignment, 0 to 1; it needs no equal shapes, but two samples or more: null below. */
  readonly cka: number | null;
}

/**
 * Drift of activations from before to after, by name, the samples along the first axis: what a training loop calls
 * with the activations of fixed samples at two moments. A pure function; names that only one side has are left out.
 * @throws COMPARE_SIZE when the two sides have different numbers of samples.
 */
export const driftBetween = (
  before: ReadonlyMap<ValueId, Tensor>,
  after: ReadonlyMap<ValueId, Tensor>,
): readonly ValueDrift[] =>
  [...before].flatMap(([value, reference]) => {
    const other = after.get(value);
    return other ? [{ value, ...tensorDrift(value, reference, other) }] : [];
  });

function tensorDrift(value: ValueId, before: Tensor, after: Tensor): Omit<ValueDrift, 'value'> {
  const [samples = 1, other = 1] = [before.shape[0], after.shape[0]];
  if (samples !== other) throw sizesDiffer(`samples of "${value}"`, { expected: samples, found: other });
  const [x, y] = [numbersOf(before), numbersOf(after)];
  const empty = sizeOf(before.shape) === 0 || sizeOf(after.shape) === 0;
  return {
    snrDb: before.shape.join() === after.shape.join() ? snrDb(x, y) : null,
    cka: samples < 2 || empty ? null : linearCka({ values: x, samples }, { values: y, samples }),
  };
}
