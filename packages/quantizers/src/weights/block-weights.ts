import type { Grid, Rounding } from '@espalier/core';
import { perBlock } from '../granularity.js';
import { levelsOf } from '../grid.js';
import { transposed } from '../matrix-weights.js';
import { packRows } from '../pack-rows.js';
import { quantizeToCodes } from '../quantize-tensor.js';
import type { Scales } from '../scales.js';
import type { WeightClip } from '../weight-ranges.js';
import { weightScales } from '../weight-scales.js';

/** A matrix [rows, columns] with a scale for every `block` rows of each column. */
export interface BlockWeights {
  readonly rows: number;
  readonly columns: number;
  readonly block: number;
  /** ceil(rows / block). */
  readonly blocks: number;
  /** Integers [rows, columns]. */
  readonly codes: Int8Array | Uint8Array;
  /** [blocks, columns]. */
  readonly scales: Scales;
}

/** Options for quantizing blocks. */
export interface BlockChoice {
  readonly grid: Grid;
  readonly block: number;
  readonly clip: WeightClip;
  /** Default: each weight by itself to the nearest integer. */
  readonly rounding?: BlockRounding | undefined;
}

/** A rounding, and the inputs that it looks at. */
export interface BlockRounding {
  readonly round: Rounding;
  /** XᵀX of the inputs of the matrix, [rows, rows]; empty for roundings that do without. */
  readonly gram: Float64Array;
}

/** Puts each weight on its block's grid. Values must be finite. */
export function blockWeights(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  { grid, block, clip, rounding }: BlockChoice,
): BlockWeights {
  const granularity = perBlock(0, block);
  const shape = [rows, columns];
  const scales = weightScales(values, shape, { grid, granularity, clip })!; // callers check for NaN and infinity
  const codes = rounding
    ? roundedCodes(values, [rows, columns], { grid, block, scales, rounding })
    : (quantizeToCodes(values, shape, { grid, granularity, scales }) as Int8Array | Uint8Array); // 8 bits at most
  return { rows, columns, block, blocks: Math.ceil(rows / block), codes, scales };
}

// A rounding sees a row of weights for each output, and codes counted from the zero point.
function roundedCodes(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  {
    grid,
    block,
    scales,
    rounding,
  }: Pick<BlockChoice, 'grid' | 'block'> & {
    readonly scales: Scales;
    readonly rounding: BlockRounding;
  },
): Int8Array | Uint8Array {
  const { low, high } = levelsOf(grid);
  const blocks = Math.ceil(rows / block);
  const grids = Array.from({ length: columns * blocks }, (_, i) => {
    const at = (i % blocks) * columns + Math.floor(i / blocks);
    const zero = scales.zeroPoint[at]!;
    return { step: scales.scale[at]!, lowest: low - zero, highest: high - zero };
  });
  const weight = Float64Array.from(transposed(values, rows, columns));
  const found = rounding.round({ weight, rows: columns, size: rows, gram: rounding.gram, group: block, grids });
  const codes = grid.signed ? new Int8Array(values.length) : new Uint8Array(values.length);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      const zero = scales.zeroPoint[Math.floor(row / block) * columns + column]!;
      codes[row * columns + column] = found[column * rows + row]! + zero;
    }
  }
  return codes;
}

/** The constants of com.microsoft::MatMulNBits. */
export interface NBits {
  /** uint8 [columns, blocks, block * bits / 8]: a column's codes in order, the first in the low bits, the tail zero. */
  readonly integers: Uint8Array;
  /** [columns, blocks]. */
  readonly scale: Float32Array;
  /** uint8 [columns, ceil(blocks * bits / 8)]; absent when every zero point is 2^(bits - 1). */
  readonly zeroPoint?: Uint8Array;
}

/** Lays blocks out for MatMulNBits, whose codes are unsigned: signed ones are raised by 2^(bits - 1). */
export function nBitsLayout({ rows, columns, block, blocks, codes, scales }: BlockWeights, grid: Grid): NBits {
  const raise = grid.signed ? -levelsOf({ ...grid, narrow: false }).low : 0;
  const byColumn = transposed(codes, rows, columns);
  const padded = blocks * block;
  const unsigned = new Uint8Array(columns * padded);
  for (let column = 0; column < columns; column++) {
    const from = column * rows;
    const to = column * padded;
    for (let row = 0; row < rows; row++) unsigned[to + row] = byColumn[from + row]! + raise;
  }
  const scale = new Float32Array(columns * blocks);
  const zero = new Uint8Array(columns * blocks);
  for (let b = 0; b < blocks; b++) {
    for (let column = 0; column < columns; column++) {
      scale[column * blocks + b] = scales.scale[b * columns + column]!;
      zero[column * blocks + b] = scales.zeroPoint[b * columns + column]! + raise;
    }
  }
  const integers = packRows(unsigned, columns, grid.bits);
  return grid.symmetric ? { integers, scale } : { integers, scale, zeroPoint: packRows(zero, columns, grid.bits) };
}
