import { badOption } from '@espalier/core';
import { type Distribution, secondMoment } from './distribution.js';

/** The error of setting the smallest numbers to zero. */
export interface PruningError {
  /** Numbers at most this large become zero. */
  readonly threshold: number;
  /** E[W² ; |W| <= threshold]. */
  readonly total: number;
  /** 10·log₁₀(E[W²] / total) in decibels. */
  readonly snrDb: number;
}

/**
 * The expected error of pruning the share `sparsity` of smallest magnitude: t solves P(|W| <= t) = sparsity, and the
 * error is 2∫₀ᵗ u²p(u)du (Kuzmin et al. 2023, arXiv 2307.02973, eq. 3). N(0,1) at 75 %: t = 1.150349, 5.5847 dB; for
 * the normal the error is sparsity - 2tφ(t).
 */
export function expectedPruningError(distribution: Distribution, sparsity: number): PruningError {
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw badOption('sparsity', { expected: 'a share from 0 to 1', found: sparsity });
  }
  const threshold = magnitudeQuantile(distribution, sparsity);
  const total = 2 * distribution.moment(2, threshold);
  return { threshold, total, snrDb: 10 * Math.log10(secondMoment(distribution) / total) };
}

/** The t with P(|W| <= t) = share, by bisection to the last bit. */
export function magnitudeQuantile({ moment, limit }: Distribution, share: number): number {
  if (share >= 1) return limit;
  let high = Math.min(1, limit);
  while (2 * moment(0, high) < share && high < limit) high = Math.min(limit, 2 * high);
  let low = 0;
  for (let middle = high / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (2 * moment(0, middle) < share) low = middle;
    else high = middle;
  }
  return high;
}
