import type { Quantizer } from '../quantizers-of.js';
import type { Widths } from '../width.js';
import type { CriterionWeights } from './saliency.js';
import { type Moment, type Stages, widestIn } from './stages.js';
import type { UnitGroup } from './unit-parts.js';

/** Chooses the units that are gone after a share of all periods, from scores by group; a unit scored 0 goes first. */
export type ChooseUnits = (scores: readonly Float64Array[], share: number) => readonly (readonly number[])[];

/** Everything that decides a run of QASSO. */
export interface QassoPlan {
  readonly stages: Stages;
  readonly quantizers: readonly Quantizer[];
  readonly groups: readonly UnitGroup[];
  readonly choose: ChooseUnits;
  readonly criteria: CriterionWeights;
  /** Permitted widths in bits. */
  readonly widths: { readonly weights: Widths; readonly activations: Widths };
  /** The widest width when the projection stage begins. */
  readonly start: number;
}

/** The widths that a moment permits a quantizer; `fixed` is its width in the last stage. */
export function permitted(
  { weight }: Quantizer,
  { moment, fixed, plan }: { readonly moment: Moment; readonly fixed: number; readonly plan: QassoPlan },
): Widths {
  const range = weight === undefined ? plan.widths.activations : plan.widths.weights;
  if (moment.stage === 'cool') return { min: fixed, max: fixed };
  if (moment.stage !== 'projection') return range;
  const from = Math.max(plan.start, range.max);
  return { min: range.min, max: widestIn(moment.period, { periods: moment.periods, from, to: range.max }) };
}
