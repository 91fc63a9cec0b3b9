/** Sums over the redundant parts of tensors, from which angles follow. `c` is the clipped value with its sign. */
export interface Angle {
  /** ⟨v, g⟩ of a vector v with the direction g. */
  readonly product: number;
  /** ‖v‖² and ‖g‖². */
  readonly own: number;
  readonly direction: number;
}

export const noAngle: Angle = { product: 0, own: 0, direction: 0 };

/** The cosine between a vector and the direction; 0 where one of them is zero. */
export const cosineOf = ({ product, own, direction }: Angle): number =>
  own > 0 && direction > 0 ? product / Math.sqrt(own * direction) : 0;

/** The constants of the joint stage, both between 0 and 1. */
export interface JointConstants {
  /** η: 1 - η limits how fast forgetting may work against the gradient. Default: 0.999. */
  readonly eta: number;
  /** ζ limits how coarse a step may become. Default: 0.9. */
  readonly zeta: number;
}

export const jointConstants: JointConstants = { eta: 0.999, zeta: 0.9 };

/** Magnitudes below this are zero. */
const tiny = 1e-8;

/**
 * The forget rate γ of redundant units at step k (from 0) of a period of D steps: the share of their quantized value
 * that a step takes away (QASSO, GETA, arXiv 2502.16638). `angle` is between the clipped values and αg, the learning
 * rate times the direction of the optimizer.
 *
 *     γ = 0                            where the units are zero already
 *     γ = 1 / (D - k)                  where forgetting goes along with the descent (cosine at least 0)
 *     γ = -(1 - η) ‖αg‖ / (cos ‖c‖)    otherwise
 *
 * The factors 1 - 1/(D - k) come to 0 at the last step. For D = 10 and k = 3 with a positive cosine it is 1/7.
 */
export function forgetRate(
  angle: Angle,
  {
    at,
    period,
    elements,
    constants: { eta } = jointConstants,
  }: {
    readonly at: number;
    readonly period: number;
    /** The number of elements that `angle` sums over. */
    readonly elements: number;
    readonly constants?: JointConstants;
  },
): number {
  if (Math.sqrt(angle.own / Math.max(1, elements)) <= tiny) return 0;
  const cosine = cosineOf(angle);
  if (cosine >= 0) return 1 / (period - at);
  const wanted = (-(1 - eta) * Math.sqrt(angle.direction)) / (cosine * Math.sqrt(angle.own));
  return Math.min(1, wanted);
}

/** The step of one quantizer, and the forget rate that goes with it. */
export interface StepAndRate {
  readonly step: number;
  readonly rate: number;
}

/**
 * The step d of a quantizer of redundant weights: the coarsest that still descends. `angle` is between the residuals
 * sgn(x) R, with R = round(c/d) - c/d, and αg.
 *
 *     d = coarsest                          where the cosine is at least 0 or γ = 0
 *     d = -ζ η ‖αg‖ / (γ cos ‖R‖)           otherwise, and at most the coarsest
 *
 * While d is finer than the finest step, γ becomes 0.8 γ and d becomes d / 0.8, which keeps their product. With the two
 * rules ⟨g, s⟩ <= -η (1 - ζ) α ‖g‖² for the direction s of the step, so that it descends.
 */
export function redundantStep(
  angle: Angle,
  {
    rate,
    finest,
    coarsest,
    constants: { eta, zeta } = jointConstants,
  }: {
    readonly rate: number;
    readonly finest: number;
    readonly coarsest: number;
    readonly constants?: JointConstants;
  },
): StepAndRate {
  const cosine = cosineOf(angle);
  if (cosine >= 0 || rate === 0) return { step: coarsest, rate };
  let step = (-zeta * eta * Math.sqrt(angle.direction)) / (rate * cosine * Math.sqrt(angle.own));
  let gamma = rate;
  if (step < finest) {
    const rounds = Math.ceil(Math.log(step / finest) / Math.log(0.8));
    gamma *= 0.8 ** rounds;
    step /= 0.8 ** rounds;
  }
  return { step: Math.min(Math.max(step, finest), coarsest), rate: gamma };
}
