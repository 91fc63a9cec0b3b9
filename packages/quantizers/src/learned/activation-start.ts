import type { Grid, Histogram } from '@espalier/core';
import { type Affine, affineOf } from '../affine.js';
import { levelsOf } from '../grid.js';
import { mse } from '../observers/mse.js';
import type { ScaleStart } from './learned-settings.js';

const leastError = mse();

/**
 * The scale and zero point that the quantizer of an activation begins with, from a histogram of it. Values that are
 * never negative have the zero point at the lowest code.
 * - `minmax`: the whole range;
 * - `mse`: the range of least expected squared error;
 * - `lsq`: 2 E|x| / √Q (Esser et al. 2020, section 2.1), with the codes above the zero point as Q, which is that of `mse`.
 */
export function activationStart(histogram: Histogram, grid: Grid, start: ScaleStart): Affine {
  const range = { min: histogram.min, max: histogram.max };
  const chosen = start === 'minmax' ? range : leastError.range({ range, histogram }, grid);
  const affine = affineOf(chosen, grid);
  if (start !== 'lsq') return affine;
  const reach = Math.max(1, levelsOf(grid).high - affine.zeroPoint);
  const scale = Math.fround((2 * meanMagnitude(histogram)) / Math.sqrt(reach));
  return scale > 0 ? { scale, zeroPoint: affine.zeroPoint } : affine;
}

/** E|x|, elements in the middle of their bins. */
function meanMagnitude({ counts, min, max }: Histogram): number {
  const width = (max - min) / counts.length;
  let sum = 0;
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i]! * Math.abs(min + (i + 0.5) * width);
    total += counts[i]!;
  }
  return total === 0 ? 0 : sum / total;
}
