import { definePlugin, type Grid, type Histogram, type Range, roundHalfEven } from '@espalier/core';
import { affineOf } from '../affine.js';
import { levelsOf } from '../grid.js';
import { searchRange } from './search-range.js';

/** Observer: the clipped range with the least expected squared error, rounding and clipping together. */
export const mse = definePlugin({
  kind: 'observer',
  id: 'mse',
  about: 'Clips where the expected squared error, of rounding and of clipping, is least.',
  options: { bins: { type: 'integer', default: 2048, min: 128, max: 65536, about: 'histogram bins' } },
  create: ({ bins }) => ({
    bins,
    range: ({ range, histogram }, grid) =>
      histogram ? searchRange(range, grid, (candidate) => expectedSquaredError(histogram, grid, candidate)) : range,
  }),
});

/**
 * Mean of (x - Q(x))^2 over a histogram, elements spread evenly within their bins. A bin narrower than a step has the
 * error of its middle plus width^2 / 12; a wider one has step^2 / 12 inside the range. Units of x squared.
 */
export function expectedSquaredError(histogram: Histogram, grid: Grid, range: Range): number {
  const { counts, min, max } = histogram;
  const { scale, zeroPoint } = affineOf(range, grid);
  const { low, high } = levelsOf(grid);
  const bottom = (low - zeroPoint) * scale;
  const top = (high - zeroPoint) * scale;
  const width = (max - min) / counts.length;
  const fine = width <= scale;
  const within = (width * width) / 12;
  const rounding = (scale * scale) / 12;
  let sum = 0;
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    total += count;
    const x = min + (i + 0.5) * width;
    if (x < bottom || x > top) {
      const gap = x < bottom ? bottom - x : x - top;
      sum += count * (gap * gap + within);
    } else if (fine) {
      const gap = x - roundHalfEven(x / scale) * scale;
      sum += count * (gap * gap + within);
    } else {
      sum += count * rounding;
    }
  }
  return total === 0 ? 0 : sum / total;
}
