import { pack } from '@espalier/core';

/** Codes of 2, 4 or 8 bits packed row by row, each row starting on a byte of its own (MatMulNBits, GatherBlockQuantized). */
export function packRows(codes: Uint8Array, rows: number, bits: number): Uint8Array {
  if (bits === 8) return codes;
  const length = codes.length / rows;
  const width = Math.ceil((length * bits) / 8);
  const narrow = bits === 4 ? 4 : 2;
  // Rows that fill their bytes follow each other without a gap: one call packs them all.
  if ((length * bits) % 8 === 0) return pack(codes, narrow);
  const out = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    out.set(pack(codes.subarray(row * length, (row + 1) * length), narrow), row * width);
  }
  return out;
}
