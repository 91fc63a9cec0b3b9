import { unpack } from '@espalier/core';
import { numbersOf } from './numbers-of.js';
import type { BlockCoding } from './weight-coding.js';

/** One block of a packed weight: columns `from` to `to` of a row, and where they stand. */
export interface PackedBlock {
  readonly from: number;
  readonly to: number;
  /** Position of its first element among N·K unpacked ones. */
  readonly at: number;
  /** Index of its scale. */
  readonly group: number;
  readonly zero: number;
}

/** Visits the blocks of a MatMulNBits weight, row by row. */
export function eachBlock(coding: BlockCoding, visit: (block: PackedBlock) => void): void {
  const { rows, columns, bits, block } = coding;
  const blocks = Math.ceil(columns / block);
  const zeros = zeroPoints(coding, blocks);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      const from = b * block;
      const group = row * blocks + b;
      const to = Math.min(columns, from + block);
      visit({ from, to, at: row * columns + from, group, zero: zeros ? zeros[group]! : 2 ** (bits - 1) });
    }
  }
}

// Packed [N, ceil(blocks·bits/8)] when uint8, one number for each block otherwise.
function zeroPoints({ zeroPoint, rows, bits }: BlockCoding, blocks: number): ArrayLike<number> | undefined {
  if (!zeroPoint) return undefined;
  if (zeroPoint.dtype !== 'uint8' || bits === 8) return numbersOf(zeroPoint);
  const rowBytes = Math.ceil((blocks * bits) / 8);
  const zeros = new Uint8Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    const bytes = zeroPoint.data.subarray(row * rowBytes, (row + 1) * rowBytes);
    zeros.set(unpack(bytes, blocks, bits === 2 ? 2 : 4, false), row * blocks);
  }
  return zeros;
}
