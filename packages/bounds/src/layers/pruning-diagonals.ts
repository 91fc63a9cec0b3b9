import { largestDiagonal } from './largest-diagonal.js';
import { createRelaxation, type OpenPruning } from './relax-pruning.js';

/** A diagonal for the relaxation within a search, and the best bound before it. */
export interface Diagonals {
  /** d, [n], with G - diag(d) positive definite. */
  readonly diagonal: Float64Array;
  /** A lower bound for the whole problem, from a diagonal made for it. */
  readonly bound: number;
}

const rounds = 6;

/**
 * Two diagonals for the perspective relaxation. The one for the search weighs all indices, those likely to be zeroed
 * more: c_i = w_i²·min(1, t/s_i), s_i = w_i²/(G⁻¹)_ii, t the `zeros`-th smallest. The bound at the root comes from
 * alternating between the relaxed choice m and the diagonal that is best for it (the derivative of the relaxation in
 * d_i is m_i w_i² + m_i² w_i² - 2 m_i w_i (G⁻¹D(m∘w))_i), averaged over a few rounds: towards the semidefinite bound.
 */
export function pruningDiagonals(gram: Float64Array, root: OpenPruning): Diagonals {
  const { inverse, row, zeros } = root;
  const size = row.length;
  const costs = row.map((w, i) => (w * w) / inverse[i * size + i]!);
  const usual = costs.slice().sort()[zeros - 1]!;
  const floor = 1e-9 * (row.reduce((sum, w) => sum + w * w, 0) / size) || 1;
  const diagonal = largestDiagonal(
    gram,
    row.map((w, i) => w * w * (costs[i]! <= usual ? 1 : usual / costs[i]!) + floor),
  );
  const relaxation = createRelaxation(size);
  const effort = { steps: 60, enough: Number.POSITIVE_INFINITY };
  let bound = Math.max(costs.slice().sort()[zeros - 1]!, relaxation.bound(root, diagonal, effort));
  const mixed = diagonal.slice();
  const product = new Float64Array(size);
  for (let round = 0; round < rounds; round++) {
    const { shares } = relaxation;
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += inverse[i * size + j]! * mixed[j]! * shares[j]! * row[j]!;
      product[i] = sum;
    }
    const weights = row.map((w, i) => {
      const m = shares[i]!;
      return Math.max(floor, m * w * w * (1 + m) - 2 * m * w * product[i]!);
    });
    const next = largestDiagonal(gram, weights);
    const share = 2 / (round + 2.5);
    for (let i = 0; i < size; i++) mixed[i]! += share * (next[i]! - mixed[i]!);
    bound = Math.max(bound, relaxation.bound(root, mixed, effort));
  }
  return { diagonal, bound: bound * (1 - 1e-10) };
}
