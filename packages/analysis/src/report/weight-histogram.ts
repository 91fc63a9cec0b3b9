import type { WeightHistogram } from './compress-report.js';

/** A picture needs no more: of larger tensors, evenly spaced elements are counted. */
const enough = 2 ** 20;

/**
 * Counts of the numbers before and after over the same equal bins, from the smallest to the largest of both; null
 * when there is no finite number. The last bin includes its upper end. Of more than 2^20 numbers, every s-th one is
 * counted (s odd, so that it does not walk along a column); the smallest and largest are those of all.
 */
export function weightHistogram(
  before: ArrayLike<number>,
  { after, bins }: { readonly after: ArrayLike<number>; readonly bins: number },
): WeightHistogram | null {
  const [a, b] = [rangeOf(before), rangeOf(after)];
  const range = { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
  if (range.min > range.max) return null;
  return { ...range, before: countsOf(before, { ...range, bins }), after: countsOf(after, { ...range, bins }) };
}

function rangeOf(values: ArrayLike<number>): { readonly min: number; readonly max: number } {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min && Number.isFinite(value)) min = value;
    if (value > max && Number.isFinite(value)) max = value;
  }
  return { min, max };
}

function countsOf(
  values: ArrayLike<number>,
  { min, max, bins }: { readonly min: number; readonly max: number; readonly bins: number },
): readonly number[] {
  const counts = new Float64Array(bins);
  const factor = max > min ? bins / (max - min) : 0;
  const stride = values.length > enough ? Math.ceil(values.length / enough) | 1 : 1;
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i]!;
    if (Number.isFinite(value)) counts[Math.min(bins - 1, Math.floor((value - min) * factor))]!++;
  }
  return [...counts];
}
