import type { Grid, Rounded } from '@espalier/core';
import { perBlock } from '../granularity.js';
import { levelsOf } from '../grid.js';
import { transposed } from '../matrix-weights.js';
import { packRows } from '../pack-rows.js';
import { quantizeToCodes } from '../quantize-tensor.js';
import { gridChoice, scalesOfRounded } from '../rounded/grid-choice.js';
import type { GridChoice } from '../rounded/round-node.js';
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
  readonly round?: (choice: GridChoice) => Rounded | undefined;
}

/** Puts each weight on its block's grid. Values must be finite. */
export function blockWeights(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  { grid, block, clip, round }: BlockChoice,
): BlockWeights {
  const granularity = perBlock(0, block);
  const shape = [rows, columns];
  const scales = weightScales(values, shape, { grid, granularity, clip })!; // callers check for NaN and infinity
  const blocks = Math.ceil(rows / block);
  const places = { rows: columns, groups: blocks, group: block, at: (row: number, g: number) => g * columns + row };
  const free = { shift: !grid.symmetric, negative: grid.signed && grid.symmetric };
  const rounded = round?.(gridChoice(scales, places, { grid, free }));
  if (!rounded) {
    const codes = quantizeToCodes(values, shape, { grid, granularity, scales }) as Int8Array | Uint8Array; // 8 bits at most
    return { rows, columns, block, blocks, codes, scales };
  }
  const chosen = scalesOfRounded(scales, rounded, { places, grid });
  const codes = grid.signed ? new Int8Array(values.length) : new Uint8Array(values.length);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      const zero = chosen.zeroPoint[Math.floor(row / block) * columns + column]!;
      codes[row * columns + column] = rounded.codes[column * rows + row]! + zero;
    }
  }
  return { rows, columns, block, blocks, codes, scales: chosen };
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
