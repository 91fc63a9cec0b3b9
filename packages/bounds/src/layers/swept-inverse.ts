/**
 * The state of zeroing weights one by one, by the sweep operator on G⁻¹ = (XᵀX)⁻¹. With Z the zeroed and K the kept
 * indices and A = (G⁻¹_ZZ)⁻¹: the table holds G⁻¹_KK - G⁻¹_KZ A G⁻¹_ZK, G⁻¹_KZ A and -A; the row holds the refitted
 * weights of K, and A·w_Z in Z; the error is w_Zᵀ A w_Z.
 */
export interface SweptInverse {
  readonly size: number;
  readonly table: Float64Array;
  readonly row: Float64Array;
  readonly zeroed: Uint8Array;
  error: number;
}

/** Nothing zeroed yet. The inverse is copied. */
export const sweptInverse = (inverse: Float64Array, weight: Float64Array): SweptInverse => ({
  size: weight.length,
  table: inverse.slice(),
  row: weight.slice(),
  zeroed: new Uint8Array(weight.length),
  error: 0,
});

/** A copy that can be taken elsewhere. */
export const copySwept = (from: SweptInverse): SweptInverse => ({
  ...from,
  table: from.table.slice(),
  row: from.row.slice(),
  zeroed: from.zeroed.slice(),
});

/**
 * Zeroes index p, or frees it where it is zeroed. Zeroing costs row_p²/table_pp (the optimal brain surgeon update,
 * Hassibi & Stork 1993); n² products.
 */
export function sweep(state: SweptInverse, p: number): void {
  const { size, table, row, zeroed } = state;
  const freed = zeroed[p] === 1;
  // Both ways are the same rule for the pivot |table_pp|, with the signs of the updates exchanged.
  const pivot = Math.abs(table[p * size + p]!);
  const sign = freed ? 1 : -1;
  const own = row[p]!;
  const line = table.slice(p * size, (p + 1) * size);
  state.error -= (sign * own * own) / pivot;
  for (let i = 0; i < size; i++) {
    if (i === p) continue;
    const share = line[i]! / pivot;
    row[i]! += sign * share * own;
    if (share === 0) continue;
    const at = i * size;
    for (let j = 0; j < size; j++) table[at + j]! += sign * share * line[j]!;
    table[at + p] = share;
    table[p * size + i] = share;
  }
  row[p] = own / pivot;
  table[p * size + p] = freed ? 1 / pivot : -1 / pivot;
  zeroed[p] = freed ? 0 : 1;
}
