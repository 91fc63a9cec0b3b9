import { type Grid, type Tensor, toFloats } from '@espalier/core';
import { type Granularity, scaleLayout } from '../granularity.js';
import { levelsOf } from '../grid.js';
import { eachRun, weightRanges } from '../weight-ranges.js';
import type { ScaleStart } from './learned-settings.js';

/** The choice of the scales that the quantizer of a weight begins with. */
export interface WeightStart {
  readonly grid: Grid;
  readonly granularity: Granularity;
  readonly start: ScaleStart;
}

const smallest = 1e-8;

/**
 * The first scales of a weight, one for each group; Q is the highest code.
 * - `lsq`: 2 E|w| / √Q (Esser et al. 2020, section 2.1);
 * - `minmax`: max|w| / Q;
 * - `mse`: the one of 40 fractions of that with the least squared error.
 *
 * For w = [1, -3] in 4 bits, `lsq` gives 4 / √7 and `minmax` 3 / 7. Undefined where a weight is not finite.
 */
export function weightStart(weight: Tensor, { grid, granularity, start }: WeightStart): Float32Array | undefined {
  const values = toFloats(weight);
  const layout = scaleLayout(weight.shape, granularity);
  const { high } = levelsOf(grid);
  const ranges = weightRanges(values, weight.shape, { grid, granularity, clip: start === 'mse' ? 'mse' : 'minmax' });
  if (!ranges) return undefined;
  if (start !== 'lsq') {
    return Float32Array.from(ranges, ({ min, max }) => Math.max(smallest, Math.max(-min, max) / high));
  }
  const sums = new Float64Array(layout.count);
  const counts = new Float64Array(layout.count);
  eachRun(layout, (group, from, end, stride) => {
    for (let at = from; at < end; at += stride) {
      sums[group]! += Math.abs(values[at]!);
      counts[group]! += 1;
    }
  });
  return Float32Array.from(sums, (sum, i) => Math.max(smallest, (2 * sum) / Math.max(1, counts[i]!) / Math.sqrt(high)));
}
