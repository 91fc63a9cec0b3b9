import type { Distribution } from './distribution.js';
import { expectedPruningError } from './expected-pruning-error.js';
import { optimalStep } from './optimal-step.js';

/** The sparsity that saves as much as b bits do, against 16-bit numbers: 1 - b/16 (4 bits and 75 %). */
export const equalSparsity = (bits: number): number => 1 - bits / 16;

/** Signal-to-noise ratios of both at the same compression. */
export interface PruningOrQuantization {
  readonly quantizationDb: number;
  readonly pruningDb: number;
  /** Positive where quantization loses less. */
  readonly advantageDb: number;
}

/** Which loses less at the same compression: rounding to b bits (best step, full grid) or pruning to 1 - b/16. */
export function pruningOrQuantization(distribution: Distribution, bits: number): PruningOrQuantization {
  const quantizationDb = optimalStep(distribution, bits).snrDb;
  const pruningDb = expectedPruningError(distribution, equalSparsity(bits)).snrDb;
  return { quantizationDb, pruningDb, advantageDb: quantizationDb - pruningDb };
}

/**
 * Where, along a family of distributions with ever heavier tails, pruning begins to lose less than b bits do, by
 * bisection between two members; undefined when it does not change in between. Student-t with 2 degrees of freedom cut
 * off at l: l = 11.09 at 2 bits, 29.37 at 4 (Kuzmin et al. 2023, arXiv 2307.02973, figure 2).
 */
export function pruningCrossover(
  family: (parameter: number) => Distribution,
  {
    bits,
    from,
    to,
    precision = 1e-4,
  }: { readonly bits: number; readonly from: number; readonly to: number; readonly precision?: number },
): number | undefined {
  const wins = (parameter: number) => pruningOrQuantization(family(parameter), bits).advantageDb < 0;
  let [low, high] = [from, to];
  if (wins(low) === wins(high)) return undefined;
  const late = wins(high);
  while (high - low > precision) {
    const middle = (low + high) / 2;
    if (wins(middle) === late) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
