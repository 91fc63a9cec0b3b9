import { badLayer } from '../errors.js';
import { checkRow } from './integer-problem.js';

/**
 * One row of weights of which `zeros` are to become 0, the others free: minimise (v - w)ᵀG(v - w).
 * `{ gram: [2, 0, 0, 1], weight: [1, 3], zeros: 1 }` has an error of 2: the first goes.
 */
export interface PruningProblem {
  /** G = XᵀX, [n, n]. */
  readonly gram: Float64Array;
  /** w, [n]. */
  readonly weight: Float64Array;
  /** The number of weights that must be 0, from 0 to n. */
  readonly zeros: number;
}

/** Weights with zeros, and what they cost. */
export interface PrunedRow {
  /** v, [n]. */
  readonly weight: Float64Array;
  /** Indices set to zero, ascending. */
  readonly zeroed: Uint32Array;
  /** (v - w)ᵀG(v - w). */
  readonly error: number;
}

/** Checks sizes and finiteness. @throws LAYER_NUMBERS, LAYER_GRAM. */
export function checkPruning({ gram, weight, zeros }: PruningProblem): void {
  checkRow(gram, weight);
  if (Number.isInteger(zeros) && zeros >= 0 && zeros <= weight.length) return;
  throw badLayer('zeros', { expected: `a whole number from 0 to ${weight.length}`, found: String(zeros) });
}
