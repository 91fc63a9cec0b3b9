/** The numbers of a parameterized quantizer: one each, or one per index of its axis. */
export interface Lattice {
  /** d > 0, the distance between neighbouring values. */
  readonly step: number;
  /** q > 0, the magnitude beyond which values are cut off. */
  readonly limit: number;
  /** t > 0, the power of magnitudes. Default: 1. */
  readonly exponent?: number;
  /** Whether there are negative values. Default: true. */
  readonly signed?: boolean;
}

const highest = ({ limit, exponent = 1 }: Omit<Lattice, 'step'>): number => limit ** exponent;

/**
 * The width of a quantizer in bits, a real number: log2(q^t / d + 1) + 1, one less without a sign (GETA, arXiv
 * 2502.16638). For a step of 0.1 and a limit of 1 it is 4.459.
 */
export const widthOf = (lattice: Lattice): number =>
  Math.log2(highest(lattice) / lattice.step + 1) + (lattice.signed === false ? 0 : 1);

/**
 * The step at which a quantizer has a width of so many bits: q^t / (2^(bits - 1) - 1), or q^t / (2^bits - 1) without a
 * sign. For 4 bits and a limit of 1 it is 1/7.
 */
export const stepFor = (bits: number, lattice: Omit<Lattice, 'step'>): number =>
  highest(lattice) / (2 ** (bits - (lattice.signed === false ? 0 : 1)) - 1);

/** A range of widths in bits, both ends included. */
export interface Widths {
  readonly min: number;
  readonly max: number;
}

/**
 * The step that is nearest to one wish and gives a width within the range, at the present limit and exponent: the
 * projection of GETA's partially projected gradient step.
 */
export const stepWithin = (lattice: Lattice, { min, max }: Widths): number =>
  Math.min(Math.max(lattice.step, stepFor(max, lattice)), stepFor(min, lattice));
