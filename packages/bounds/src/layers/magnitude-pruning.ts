import { checkPruning, type PrunedRow, type PruningProblem } from './pruning-problem.js';
import { refitKept } from './refit-kept.js';

/**
 * Zeroes the weights of smallest magnitude and refits the others by least squares (the pruning heuristic of Kuzmin et
 * al. 2023, arXiv 2307.02973, section 4.3). @throws LAYER_NUMBERS, LAYER_GRAM.
 */
export function magnitudePruning(problem: PruningProblem): PrunedRow {
  checkPruning(problem);
  const { gram, weight, zeros } = problem;
  const order = Uint32Array.from({ length: weight.length }, (_, i) => i);
  order.sort((a, b) => Math.abs(weight[a]!) - Math.abs(weight[b]!) || a - b);
  return refitKept(gram, weight, order.subarray(0, zeros));
}
