import { dampedInverse } from '@espalier/ops';
import { checkPruning, type PrunedRow, type PruningProblem } from './pruning-problem.js';
import { refitKept } from './refit-kept.js';
import { copySwept, type SweptInverse, sweep, sweptInverse } from './swept-inverse.js';

/** The steps after the greedy choice. */
export interface GreedyOptions {
  /** Whether pairs of a zeroed and a kept weight change places while that lowers the error. Default: true. */
  readonly swaps?: boolean;
}

/**
 * Zeroes one weight after the other, each time the one whose removal costs least with all others refitted: x_i²/(G⁻¹)_ii
 * (optimal brain surgeon; Frantar & Alistarh 2022, arXiv 2208.11580), then swaps. n²·zeros products, and n·zeros for
 * each look for a swap. A G that cannot be inverted is damped by 1e-8 of its mean diagonal (or more, until it can) for
 * the choice; the error is that under G itself. @throws LAYER_NUMBERS, LAYER_GRAM.
 */
export function greedyPruning(problem: PruningProblem, options: GreedyOptions = {}): PrunedRow {
  checkPruning(problem);
  return greedyPath(problem, [problem.zeros], options)[0]!; // one count, one answer
}

/** `greedyPruning` for several numbers of zeros at the price of the largest: the greedy choices are nested. */
export function greedyPath(
  { gram, weight }: Pick<PruningProblem, 'gram' | 'weight'>,
  counts: readonly number[],
  { swaps = true }: GreedyOptions = {},
): readonly PrunedRow[] {
  const size = weight.length;
  // A weight of an input that is always 0 is worth nothing, so those go first.
  const worth = weight.map((value, i) => (gram[i * size + i]! > 0 ? value : 0));
  const state = sweptInverse(dampedInverse(gram, size, 0), worth);
  const order = [...new Set(counts)].sort((a, b) => a - b);
  const found = new Map<number, PrunedRow>();
  let done = 0;
  for (const count of order) {
    for (; done < count; done++) sweep(state, cheapest(state));
    const settled = swaps ? copySwept(state) : state;
    if (swaps) exchange(settled);
    const zeroed = Uint32Array.from({ length: size }, (_, i) => i).filter((i) => settled.zeroed[i] === 1);
    found.set(count, refitKept(gram, weight, zeroed));
  }
  return counts.map((count) => found.get(count)!); // every count was visited
}

function cheapest({ size, table, row, zeroed }: SweptInverse): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < size; i++) {
    if (zeroed[i]) continue;
    const cost = (row[i]! * row[i]!) / Math.max(table[i * size + i]!, Number.MIN_VALUE);
    if (best < 0 || cost < least) [best, least] = [i, cost];
  }
  return best;
}

/** The best exchange of a zeroed i and a kept j, until none lowers the error. */
function exchange(state: SweptInverse): void {
  const { size, table, row, zeroed } = state;
  for (let round = 0; round < 4 * size; round++) {
    let least = -1e-9 * state.error;
    let [out, into] = [-1, -1];
    for (let i = 0; i < size; i++) {
      if (!zeroed[i]) continue;
      const a = -table[i * size + i]!;
      const u = row[i]!;
      const gain = (u * u) / a;
      for (let j = 0; j < size; j++) {
        if (zeroed[j]) continue;
        const c = table[i * size + j]!;
        const x = row[j]! + (c * u) / a;
        const change = (x * x) / (table[j * size + j]! + (c * c) / a) - gain;
        if (change < least) [least, out, into] = [change, i, j];
      }
    }
    if (out < 0) return;
    sweep(state, out);
    sweep(state, into);
  }
}
