import { definePlugin, type Histogram, type Range } from '@espalier/core';

/** Observer: the range that holds a share of all values, the rest clipped. */
export const percentile = definePlugin({
  kind: 'observer',
  id: 'percentile',
  about: 'Covers the given share of values and clips the rest: half of it on each side, or by magnitude if symmetric.',
  options: {
    percentile: { type: 'number', default: 99.99, min: 50, max: 100, about: 'the share of values covered, in percent' },
    bins: { type: 'integer', default: 2048, min: 128, max: 65536, about: 'histogram bins' },
  },
  create: ({ percentile: share, bins }) => ({
    bins,
    range({ range, histogram }, grid) {
      if (!histogram || share >= 100) return range;
      return grid.symmetric ? byMagnitude(histogram, share / 100) : twoSided(histogram, share / 100);
    },
  }),
});

interface Cumulative {
  readonly sums: Float64Array;
  readonly total: number;
}

function accumulate({ counts }: Histogram): Cumulative {
  const sums = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) sums[i + 1] = sums[i]! + counts[i]!;
  return { sums, total: sums[counts.length]! };
}

// Cuts (1 - share) / 2 of the values on each side, interpolating inside the bin where the cut falls.
function twoSided(histogram: Histogram, share: number): Range {
  const cumulative = accumulate(histogram);
  if (cumulative.total === 0) return histogram;
  const cut = (1 - share) / 2;
  return {
    min: quantile(histogram, cumulative, cut, 'first'),
    max: quantile(histogram, cumulative, 1 - cut, 'last'),
  };
}

function quantile(
  { counts, min, max }: Histogram,
  { sums, total }: Cumulative,
  share: number,
  side: 'first' | 'last',
): number {
  const target = share * total;
  let low = 0;
  let high = counts.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (side === 'first' ? sums[middle + 1]! > target : sums[middle + 1]! >= target) high = middle;
    else low = middle + 1;
  }
  const inside = counts[low]! > 0 ? Math.min(1, Math.max(0, (target - sums[low]!) / counts[low]!)) : 0;
  return min + ((low + inside) * (max - min)) / counts.length;
}

// The least t with `share` of the values in [-t, t].
function byMagnitude(histogram: Histogram, share: number): Range {
  const { counts, min, max } = histogram;
  const { sums, total } = accumulate(histogram);
  if (total === 0 || max <= min) return histogram;
  const below = (x: number) => {
    const at = Math.min(counts.length, Math.max(0, ((x - min) / (max - min)) * counts.length));
    const bin = Math.min(counts.length - 1, Math.floor(at));
    return sums[bin]! + (at - bin) * counts[bin]!;
  };
  let low = 0;
  let high = Math.max(-min, max);
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (below(middle) - below(-middle) >= share * total) high = middle;
    else low = middle;
  }
  return { min: Math.max(min, -high), max: Math.min(max, high) };
}
