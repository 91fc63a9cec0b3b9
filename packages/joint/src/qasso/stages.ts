/** The stages of a run, in steps. Steps count from 1. */
export interface Stages {
  /** Quantization-aware training alone. */
  readonly warm: number;
  /** The widest permitted width falls from `from` to the range's own, in equal parts over `parts` periods. */
  readonly projection: { readonly steps: number; readonly parts: number };
  /** Redundant units are found and forgotten, some in each of `parts` periods. */
  readonly joint: { readonly steps: number; readonly parts: number };
  /** Training with widths and units fixed. */
  readonly cool: number;
}

/** Where a step stands. */
export type Moment =
  | { readonly stage: 'warm' }
  | { readonly stage: 'projection'; readonly period: number; readonly periods: number }
  | {
      readonly stage: 'joint';
      /** Counts from 0. */
      readonly period: number;
      readonly periods: number;
      /** Steps done in the period before this one, and its length. */
      readonly at: number;
      readonly length: number;
    }
  | { readonly stage: 'cool' };

/** The moment of a step, counted from 1. A period of n steps out of N in P parts begins at step ⌊N p / P⌋. */
export function momentOf(step: number, { warm, projection, joint }: Stages): Moment {
  let at = step - 1 - warm;
  if (at < 0) return { stage: 'warm' };
  if (at < projection.steps) {
    return { stage: 'projection', period: periodOf(at, projection), periods: projection.parts };
  }
  at -= projection.steps;
  if (at >= joint.steps) return { stage: 'cool' };
  const period = periodOf(at, joint);
  const [start, end] = [period, period + 1].map((each) => Math.floor((joint.steps * each) / joint.parts));
  return { stage: 'joint', period, periods: joint.parts, at: at - start!, length: end! - start! };
}

/** The period of a step, both from 0. */
const periodOf = (at: number, { steps, parts }: { readonly steps: number; readonly parts: number }): number => {
  let period = Math.min(parts - 1, Math.floor((at * parts) / steps));
  while (period + 1 < parts && Math.floor((steps * (period + 1)) / parts) <= at) period++;
  return period;
};

/** The widest permitted width in a period of the projection stage: equal reductions, one per period, the last to `to`. */
export const widestIn = (
  period: number,
  { periods, from, to }: { readonly periods: number; readonly from: number; readonly to: number },
): number => Math.max(to, from - ((from - to) * (period + 1)) / periods);

/** All steps of a run. */
export const stepsOf = ({ warm, projection, joint, cool }: Stages): number =>
  warm + projection.steps + joint.steps + cool;
