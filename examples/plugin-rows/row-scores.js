/**
 * Index of the output that each element of a weight belongs to: its index along `axis`.
 * @param {readonly number[]} shape
 * @param {number} axis
 * @returns {(element: number) => number}
 */
export function rowOf(shape, axis) {
  const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  return (element) => Math.floor(element / inner) % shape[axis];
}

/**
 * The rows with the smallest sums of scores, `floor(sparsity * rows)` of them; of equal sums, the first rows.
 *
 *     smallestRows(Float32Array.of(1, 1, 5, 0, 3, 3), { shape: [3, 2], axis: 0, sparsity: 0.5 }) // sums 2, 5, 6: {0}
 *
 * @param {Float32Array} scores one for each element, row-major
 * @param {{ readonly shape: readonly number[], readonly axis: number, readonly sparsity: number }} how
 * @returns {ReadonlySet<number>}
 */
export function smallestRows(scores, { shape, axis, sparsity }) {
  const row = rowOf(shape, axis);
  const sums = new Float64Array(shape[axis]);
  for (let i = 0; i < scores.length; i++) sums[row(i)] += scores[i];
  const order = [...sums.keys()].sort((a, b) => sums[a] - sums[b] || a - b);
  return new Set(order.slice(0, Math.floor(sparsity * order.length)));
}
