import type { Grid, Range } from '@espalier/core';
import { affineOf } from './affine.js';

/** Scales and zero points of a tensor, in the order of `scaleLayout`. */
export interface Scales {
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
}

/** Scales and zero points from one range per group. @throws QUANTIZE_RANGE. */
export function scalesOf(ranges: readonly Range[], grid: Grid): Scales {
  const scale = new Float32Array(ranges.length);
  const zeroPoint = new Int32Array(ranges.length);
  ranges.forEach((range, i) => {
    const affine = affineOf(range, grid);
    scale[i] = affine.scale;
    zeroPoint[i] = affine.zeroPoint;
  });
  return { scale, zeroPoint };
}
