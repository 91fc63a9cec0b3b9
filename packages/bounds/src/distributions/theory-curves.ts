import { kurtosis, truncated } from './distribution.js';
import { pruningOrQuantization } from './pruning-crossover.js';
import { studentT } from './student-t.js';

/** The theory's prediction for tensors of one kurtosis. */
export interface TheoryPoint {
  readonly kurtosis: number;
  /** Ratio of quantization minus that of pruning, in decibels. */
  readonly marginDb: number;
}

/** The theory at one bit width, and from which kurtosis on pruning loses less. */
export interface TheoryCurve {
  readonly bits: number;
  readonly points: readonly TheoryPoint[];
  /** Null where quantization loses less over the whole curve. */
  readonly crossover: number | null;
}

/** Ends of cut-off Student-t distributions, 1.35 times apart: kurtosis 2 to about 1500. */
const limits = Array.from({ length: 19 }, (_, i) => 2 * 1.35 ** i);

/**
 * Quantization against pruning at equal compression for Student-t weights with 2 degrees of freedom cut off at ±l, l
 * growing: the family of Kuzmin et al. 2023 (arXiv 2307.02973, figure 2). Margins fall with the kurtosis. The crossover is where the
 * curve between two of its points meets zero, interpolated in the logarithm of the kurtosis; at 4 bits 28.35 to 1 %.
 */
export const theoryCurves = (bits: readonly number[]): readonly TheoryCurve[] =>
  bits.map((each) => {
    const points = limits.map((limit): TheoryPoint => {
      const distribution = truncated(studentT(2), limit);
      return { kurtosis: kurtosis(distribution), marginDb: pruningOrQuantization(distribution, each).advantageDb };
    });
    return { bits: each, points, crossover: crossing(points) };
  });

function crossing(points: readonly TheoryPoint[]): number | null {
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1]!, points[i]!];
    if (a.marginDb >= 0 && b.marginDb < 0) {
      const share = a.marginDb / (a.marginDb - b.marginDb);
      return a.kurtosis * (b.kurtosis / a.kurtosis) ** share;
    }
  }
  return null;
}
