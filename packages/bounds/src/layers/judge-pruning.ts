import { exactPruning } from './exact-pruning.js';
import { greedyPruning } from './greedy-pruning.js';
import type { Certificates, RowSample, SampleRange } from './judge-quantization.js';
import { magnitudePruning } from './magnitude-pruning.js';

/** Tries both pruning heuristics on a row with so many zeros, then certifies. */
export function judgePruning({ gram, weight }: RowSample, zeros: number, certify: Certificates): SampleRange {
  const problem = { gram, weight, zeros };
  const magnitude = magnitudePruning(problem);
  const greedy = greedyPruning(problem);
  const best =
    magnitude.error <= greedy.error
      ? { error: magnitude.error, method: 'magnitude' }
      : { error: greedy.error, method: 'greedy' };
  if (!certify) return { ...best, bound: 0, proven: false };
  const { error, bound, exact } = exactPruning(problem, certify);
  const found = error < best.error ? { error, method: 'search' } : best;
  return { ...found, bound: Math.min(bound, found.error), proven: exact };
}
