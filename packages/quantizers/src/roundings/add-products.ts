/** The products to add. */
export interface BlockOfColumns {
  readonly rows: number;
  readonly size: number;
  /** The columns k of the block. */
  readonly from: number;
  readonly to: number;
  /** The number of terms of each sum. */
  readonly terms: number;
  /** Row-major [rows, width]; width is its length divided by rows. */
  readonly sums: Float64Array;
}

const depth = 256; // columns summed at a time, so that the rows of the factor stay in the cache

/**
 * sums[r, k - from] += Σ_{j<terms} errors[r, j] factor[k, j] for the columns k of a block; both matrices are row-major with
 * rows of `size`. Four rows and two columns at a time, so that each number read serves several products.
 */
export function addProducts(
  errors: Float64Array,
  factor: Float64Array,
  { rows, size, from, to, terms, sums }: BlockOfColumns,
): void {
  const width = sums.length / rows;
  for (let j0 = 0; j0 < terms; j0 += depth) {
    const j1 = Math.min(terms, j0 + depth);
    let r = 0;
    for (; r + 4 <= rows; r += 4) {
      const [e0, e1, e2, e3] = [r * size, (r + 1) * size, (r + 2) * size, (r + 3) * size];
      let k = from;
      for (; k + 2 <= to; k += 2) {
        const [f0, f1] = [k * size, (k + 1) * size];
        let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
        for (let j = j0; j < j1; j++) {
          const a = factor[f0 + j]!;
          const b = factor[f1 + j]!;
          const x0 = errors[e0 + j]!;
          const x1 = errors[e1 + j]!;
          const x2 = errors[e2 + j]!;
          const x3 = errors[e3 + j]!;
          a0 += a * x0;
          b0 += b * x0;
          a1 += a * x1;
          b1 += b * x1;
          a2 += a * x2;
          b2 += b * x2;
          a3 += a * x3;
          b3 += b * x3;
        }
        const at = r * width + k - from;
        sums[at]! += a0;
        sums[at + 1]! += b0;
        sums[at + width]! += a1;
        sums[at + width + 1]! += b1;
        sums[at + 2 * width]! += a2;
        sums[at + 2 * width + 1]! += b2;
        sums[at + 3 * width]! += a3;
        sums[at + 3 * width + 1]! += b3;
      }
      for (; k < to; k++) for (let i = r; i < r + 4; i++) sums[i * width + k - from]! += dot(i, k, j0, j1);
    }
    for (; r < rows; r++) for (let k = from; k < to; k++) sums[r * width + k - from]! += dot(r, k, j0, j1);
  }

  function dot(row: number, column: number, j0: number, j1: number): number {
    const [e, f] = [row * size, column * size];
    let sum = 0;
    for (let j = j0; j < j1; j++) sum += errors[e + j]! * factor[f + j]!;
    return sum;
  }
}
