import type { UnitVectors } from './counted-vectors.js';

/** The squared l2 norm of each row, summed in float64 in the order in which `rowProducts` sums. */
export function squaredNorms({ rows, size }: UnitVectors, units: number): Float64Array {
  const norms = new Float64Array(units);
  for (let unit = 0, at = 0; unit < units; unit++) {
    let sum = 0;
    for (const end = at + size; at < end; at++) sum += rows[at]! * rows[at]!;
    norms[unit] = sum;
  }
  return norms;
}

/**
 * Tells `visit(i, products)` for each row i its products with the rows j > i (other entries mean nothing). Products are
 * float64 and exact but for the sum, so those of equal rows equal their squared norms. Four rows at a time share what is
 * read of row i: about 10⁹ multiply-adds a second.
 */
export function rowProducts(
  { rows, size }: UnitVectors,
  units: number,
  visit: (i: number, products: Float64Array) => void,
): void {
  const products = new Float64Array(units);
  for (let i = 0; i < units; i++) {
    const a = i * size;
    let j = i + 1;
    for (; j + 3 < units; j += 4) {
      const b = j * size;
      const [c, d, e] = [b + size, b + 2 * size, b + 3 * size];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let k = 0; k < size; k++) {
        const x = rows[a + k]!;
        s0 += x * rows[b + k]!;
        s1 += x * rows[c + k]!;
        s2 += x * rows[d + k]!;
        s3 += x * rows[e + k]!;
      }
      products[j] = s0;
      products[j + 1] = s1;
      products[j + 2] = s2;
      products[j + 3] = s3;
    }
    for (; j < units; j++) {
      const b = j * size;
      let sum = 0;
      for (let k = 0; k < size; k++) sum += rows[a + k]! * rows[b + k]!;
      products[j] = sum;
    }
    visit(i, products);
  }
}
