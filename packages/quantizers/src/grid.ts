import type { CodeType, Grid } from '@espalier/core';
import { gridInvalid } from './errors.js';

/** The lowest and highest integer of a grid. */
export interface Levels {
  readonly low: number;
  readonly high: number;
}

/** int8 weights as every runtime takes them: -127..127, zero point 0. */
export const int8Weights: Grid = { bits: 8, signed: true, symmetric: true, narrow: true };
/** 7-bit weights in int8, -64..64, for x86 without VNNI, whose 8-bit products saturate at 16 bits. */
export const reducedWeights: Grid = { bits: 7, signed: true, symmetric: true };
/** int4 weights: -8..7, zero point 0. */
export const int4Weights: Grid = { bits: 4, signed: true, symmetric: true };
/** uint8 activations: 0..255, any zero point. */
export const uint8Activations: Grid = { bits: 8, signed: false, symmetric: false };
/** int8 activations: -128..127, any zero point. */
export const int8Activations: Grid = { bits: 8, signed: true, symmetric: false };

/**
 * The lowest and highest integer. Signed: [-2^(b-1), 2^(b-1)-1], without the lowest when narrow; unsigned [0, 2^b-1].
 * Seven symmetric signed bits reach [-64, 64], the reduced range: int8 has room for both ends.
 * `levelsOf({ bits: 8, signed: true, symmetric: true, narrow: true })` is `{ low: -127, high: 127 }`.
 * @throws QUANTIZE_GRID outside 2 to 16 bits.
 */
export function levelsOf(grid: Grid): Levels {
  const { bits, signed, symmetric, narrow = false } = grid;
  if (!Number.isInteger(bits) || bits < 2 || bits > 16) throw gridInvalid(grid);
  if (!signed) return { low: narrow ? 1 : 0, high: 2 ** bits - 1 };
  const half = 2 ** (bits - 1);
  if (bits === 7 && symmetric && !narrow) return { low: -64, high: 64 };
  return { low: narrow ? 1 - half : -half, high: half - 1 };
}

/** The smallest ONNX integer type that stores a grid: 2, 4, 8 or 16 bits. @throws QUANTIZE_GRID. */
export function storageOf(grid: Grid): CodeType {
  if (!Number.isInteger(grid.bits) || grid.bits < 2 || grid.bits > 16) throw gridInvalid(grid);
  const wide = grid.bits <= 2 ? 2 : grid.bits <= 4 ? 4 : grid.bits <= 8 ? 8 : 16;
  return `${grid.signed ? '' : 'u'}int${wide}` as CodeType; // the four widths with both signs are the union
}
