import { type Grid, type Range, roundHalfEven } from '@espalier/core';
import { rangeInvalid } from './errors.js';
import { levelsOf } from './grid.js';

/** The map between integers and real numbers: x = (q - zeroPoint) * scale. */
export interface Affine {
  /** A float32 value. */
  readonly scale: number;
  readonly zeroPoint: number;
}

const smallestNormal = 1.1754943508222875e-38; // FLT_MIN

/**
 * Scale and zero point of a grid over a range, after extending the range to contain zero.
 * Asymmetric: scale = (max - min) / (high - low), zeroPoint = round(low - min / scale).
 * Symmetric: scale = 2 max(|min|, |max|) / (high - low), zeroPoint = round((low + high) / 2).
 * A range narrower than the smallest normal float32 gets scale 1. Zero is always exactly representable.
 * `affineOf({ min: -1, max: 3 }, uint8Activations)` is `{ scale: 0.01568627543747425, zeroPoint: 64 }`.
 * Source: ONNX QuantizeLinear; Jacob et al. 2018, arXiv 1712.05877, section 2.1. @throws QUANTIZE_RANGE.
 */
export function affineOf(range: Range, grid: Grid): Affine {
  const { low, high } = levelsOf(grid);
  if (!(range.min <= range.max)) throw rangeInvalid(range.min, range.max);
  const min = Math.min(range.min, 0);
  const max = Math.max(range.max, 0);
  const width = grid.symmetric ? 2 * Math.max(-min, max) : max - min;
  const scale = Math.fround(width / (high - low));
  if (!Number.isFinite(scale)) throw rangeInvalid(range.min, range.max);
  const middle = roundHalfEven((low + high) / 2);
  if (scale < smallestNormal) return { scale: 1, zeroPoint: grid.symmetric ? middle : Math.max(low, 0) };
  const zeroPoint = grid.symmetric ? middle : Math.min(high, Math.max(low, roundHalfEven(low - min / scale)));
  return { scale, zeroPoint };
}
