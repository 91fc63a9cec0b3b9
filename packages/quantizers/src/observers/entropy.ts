import { definePlugin, type Grid, type Histogram, type Range } from '@espalier/core';
import { affineOf } from '../affine.js';
import { levelsOf } from '../grid.js';
import { searchRange } from './search-range.js';

/** Observer: the clipped range whose quantized histogram is nearest to the real one (Kullback-Leibler). */
export const entropy = definePlugin({
  kind: 'observer',
  id: 'entropy',
  about:
    'Clips where the distribution after quantization is nearest to the one before (Kullback-Leibler), up to 8 bits.',
  options: { bins: { type: 'integer', default: 2048, min: 128, max: 65536, about: 'histogram bins' } },
  create: ({ bins }) => ({
    bins,
    range({ range, histogram }, grid) {
      if (!histogram || grid.bits > 8) return range;
      const scratch = { counts: new Float64Array(bins), nonZero: new Int32Array(bins) };
      return searchRange(range, grid, (candidate) => divergence(histogram, grid, { range: candidate, scratch }));
    },
  }),
});

interface Trial {
  readonly range: Range;
  /** Room for one sum per level. */
  readonly scratch: { counts: Float64Array; nonZero: Int32Array };
}

/**
 * KL(P || Q) in nats. P: the histogram with everything beyond the range moved into its first and last bin. Q: the
 * histogram inside the range, its mass averaged over the occupied bins of each level. The bin of zero is left out of
 * both, because every grid holds zero exactly; with it the spike that a Relu leaves would decide alone.
 * Source: Migacz 2017, "8-bit inference with TensorRT" (symmetric only), here over the levels of any grid.
 */
export function divergence(histogram: Histogram, grid: Grid, { range, scratch }: Trial): number {
  const { counts, min, max } = histogram;
  const { scale, zeroPoint } = affineOf(range, grid);
  const { low, high } = levelsOf(grid);
  const width = (max - min) / counts.length;
  const levelOf = (bin: number) => Math.round((min + (bin + 0.5) * width) / scale) + zeroPoint - low;
  const zero = min <= 0 && max >= 0 ? Math.min(counts.length - 1, Math.floor(-min / width)) : -1;
  const top = high - low;
  let first = 0;
  while (first < counts.length - 1 && levelOf(first) < 0) first++;
  let last = counts.length - 1;
  while (last > first && levelOf(last) > top) last--;
  if (scratch.counts.length < top + 1)
    Object.assign(scratch, { counts: new Float64Array(top + 1), nonZero: new Int32Array(top + 1) });
  const sums = scratch.counts.fill(0);
  const occupied = scratch.nonZero.fill(0);
  let below = 0;
  let above = 0;
  let total = 0;
  let inside = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = bin === zero ? 0 : counts[bin]!;
    if (count === 0) continue;
    total += count;
    if (bin < first) below += count;
    else if (bin > last) above += count;
    else {
      const level = Math.max(0, Math.min(top, levelOf(bin)));
      sums[level]! += count;
      occupied[level]! += 1;
      inside += count;
    }
  }
  if (total === 0 || inside === 0) return total === 0 ? 0 : Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let bin = first; bin <= last; bin++) {
    const own = bin === zero ? 0 : counts[bin]!;
    const p = (own + (bin === first ? below : 0) + (bin === last ? above : 0)) / total;
    if (p === 0) continue;
    const level = Math.max(0, Math.min(top, levelOf(bin)));
    // A level without mass of its own that takes clipped mass: a small floor instead of an infinite divergence.
    const q = own > 0 ? sums[level]! / occupied[level]! / inside : 1e-9;
    sum += p * Math.log(p / q);
  }
  return sum;
}
