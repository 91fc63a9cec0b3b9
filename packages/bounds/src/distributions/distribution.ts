/**
 * A density p that is symmetric about 0, through its partial moments from 0: what rounding and pruning errors are
 * made of. `moment(k, x)` is ∫₀ˣ uᵏ p(u) du for k = 0, 1, 2, 4 and any x, infinities included; for k = 1 it is even in
 * x, for the others odd. Beyond `limit` the density is 0.
 */
export interface Distribution {
  readonly name: string;
  /** End of the support: p(x) = 0 for |x| > limit. */
  readonly limit: number;
  readonly moment: (order: MomentOrder, x: number) => number;
}

/** The orders of partial moments that errors and kurtosis need. */
export type MomentOrder = 0 | 1 | 2 | 4;

/** E[W²], which is the variance, since the mean is 0; infinite where the tails are too heavy. */
export const secondMoment = ({ moment, limit }: Distribution): number => 2 * moment(2, limit);

/** Kurtosis E[W⁴] / E[W²]²: 3 for the normal, 1.8 for the uniform, 6 for the Laplace distribution. */
export const kurtosis = (distribution: Distribution): number =>
  (2 * distribution.moment(4, distribution.limit)) / secondMoment(distribution) ** 2;

/**
 * A distribution cut off at ±limit and scaled up to a mass of 1. Its variance is no longer that of the whole one.
 * Kuzmin et al. 2023 (arXiv 2307.02973), section 3, use a Student-t so cut.
 */
export function truncated(whole: Distribution, limit: number): Distribution {
  const mass = 2 * whole.moment(0, limit);
  return {
    name: `${whole.name}, cut off at ${limit}`,
    limit: Math.min(limit, whole.limit),
    moment: (order, x) => whole.moment(order, Math.max(-limit, Math.min(limit, x))) / mass,
  };
}
