import type { WeightHistogram } from './compress-report.js';

/**
 * Counts of the numbers before and after over the same equal bins, from the smallest to the largest of both; null
 * when there is no finite number. The last bin includes its upper end.
 */
export function weightHistogram(
  before: ArrayLike<number>,
  { after, bins }: { readonly after: ArrayLike<number>; readonly bins: number },
): WeightHistogram | null {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const values of [before, after]) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value - value !== 0) continue; // not finite
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (min > max) return null;
  const count = (values: ArrayLike<number>) => {
    const counts = new Array<number>(bins).fill(0);
    const factor = max > min ? bins / (max - min) : 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value - value === 0) counts[Math.min(bins - 1, Math.floor((value - min) * factor))]!++;
    }
    return counts;
  };
  return { min, max, before: count(before), after: count(after) };
}
