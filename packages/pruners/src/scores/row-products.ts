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
 * Tells `visit(i, products)` for each row i its products with the rows j > i (other entries mean nothing, and the list is
 * used again). Products are float64 and exact but for the sum, so those of equal rows equal their squared norms. Two rows
 * are multiplied with four at a time, which share what is read: 2·10⁹ multiply-adds a second.
 */
export function rowProducts(
  { rows, size }: UnitVectors,
  units: number,
  visit: (i: number, products: Float64Array) => void,
): void {
  const [even, odd] = [new Float64Array(units), new Float64Array(units)];
  for (let i = 0; i < units; i += 2) {
    const a = i * size;
    const b = Math.min(i + 1, units - 1) * size;
    let j = i + 1;
    for (; j + 3 < units; j += 4) {
      const c = j * size;
      const [d, e, f] = [c + size, c + 2 * size, c + 3 * size];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      let [t0, t1, t2, t3] = [0, 0, 0, 0];
      for (let k = 0; k < size; k++) {
        const x = rows[a + k]!;
        const y = rows[b + k]!;
        const u = rows[c + k]!;
        const v = rows[d + k]!;
        const w = rows[e + k]!;
        const z = rows[f + k]!;
        s0 += x * u;
        s1 += x * v;
        s2 += x * w;
        s3 += x * z;
        t0 += y * u;
        t1 += y * v;
        t2 += y * w;
        t3 += y * z;
      }
      even.set([s0, s1, s2, s3], j);
      odd.set([t0, t1, t2, t3], j);
    }
    for (; j < units; j++) {
      const c = j * size;
      let [s, t] = [0, 0];
      for (let k = 0; k < size; k++) {
        s += rows[a + k]! * rows[c + k]!;
        t += rows[b + k]! * rows[c + k]!;
      }
      even[j] = s;
      odd[j] = t;
    }
    visit(i, even);
    if (i + 1 < units) visit(i + 1, odd);
  }
}
