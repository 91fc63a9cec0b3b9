import { floats, type Tensor } from '@espalier/core';
import type { Projection, Update, Weights } from '@espalier/training';
import { forgetUnits } from './forget-units.js';
import { type QassoMemory, readMemory, unitStates, unitsIn, writeMemory } from './memory.js';
import type { QassoPlan } from './plan.js';
import { saliency } from './saliency.js';
import { fixedWidths, holdExponents, projectSteps } from './settle-widths.js';
import { type Moment, momentOf } from './stages.js';
import { eachRun, type UnitGroup } from './unit-parts.js';

/**
 * QASSO as a projection after each update of any optimizer (quantization-aware structured sparse optimizer: GETA, arXiv
 * 2502.16638). Weights take the step of the optimizer in every stage. Besides:
 *
 * - warm: nothing;
 * - projection: each step d is brought into the permitted widths, whose widest falls from period to period;
 * - joint: each period begins with a ranking of the units. Redundant ones are forgotten step by step until they are
 *   zero at its end, and their layers take the coarsest steps that descend;
 * - cool: widths are fixed at whole bits, and removed units stay zero.
 *
 * After every step of the last three stages every width is inside its range.
 */
export const qasso =
  (plan: QassoPlan): Projection =>
  (after, update) => {
    const moment = momentOf(update.step, plan.stages);
    const memory = startOfPeriod(readMemory(update.memory, plan), { moment, plan, update, after });
    const weights = new Map(after);
    holdExponents(weights, plan);
    const held = forgetUnits(weights, { before: update.before, after, moment, memory, plan });
    const widths = moment.stage === 'cool' ? fixedWidths(memory.widths, weights, plan) : memory.widths;
    projectSteps(weights, { moment, widths, held, plan });
    const next = endOfPeriod({ ...memory, widths }, moment);
    zeroUnits(weights, next, plan.groups);
    return { weights, memory: writeMemory(next) };
  };

/** At the first step of a period of the joint stage the units that go by its end become redundant. */
function startOfPeriod(
  memory: QassoMemory,
  {
    moment,
    plan: { groups, criteria, choose },
    update: { before },
    after,
  }: { readonly moment: Moment; readonly plan: QassoPlan; readonly update: Update; readonly after: Weights },
): QassoMemory {
  if (moment.stage !== 'joint' || moment.at !== 0) return memory;
  const scores = saliency(groups, { before, after }, criteria).map((own, g) =>
    own.map((score, unit) => (memory.units[g]![unit] === unitStates.removed ? 0 : Math.max(score, Number.MIN_VALUE))),
  );
  const chosen = choose(scores, (moment.period + 1) / moment.periods);
  const units = memory.units.map((own, g) => {
    const next = own.slice();
    for (const unit of chosen[g]!) if (next[unit] === unitStates.kept) next[unit] = unitStates.redundant;
    return next;
  });
  return { ...memory, units };
}

/** After the last step of a period redundant units are removed. */
function endOfPeriod(memory: QassoMemory, moment: Moment): QassoMemory {
  if (moment.stage !== 'joint' || moment.at !== moment.length - 1) return memory;
  const removed = (state: number) => (state === unitStates.kept ? state : unitStates.removed);
  return { ...memory, units: memory.units.map((own) => own.map(removed)) };
}

function zeroUnits(weights: Map<string, Tensor>, { units }: QassoMemory, groups: readonly UnitGroup[]): void {
  groups.forEach(({ parts }, g) => {
    const gone = unitsIn(units[g]!, unitStates.removed);
    if (gone.length === 0) return;
    for (const part of parts) {
      const { data, shape } = weights.get(part.value)!; // parts are of trained weights
      const values = Float32Array.from(data as Float32Array);
      for (const unit of gone) eachRun(part, unit, (from, to) => void values.fill(0, from, to));
      weights.set(part.value, floats(values, shape));
    }
  });
}
