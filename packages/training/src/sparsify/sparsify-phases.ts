import type { Schedule } from '@espalier/core';
import { cubic, type Phase, phasePlan } from '@espalier/schedules';
import { badRequest } from '../errors.js';
import type { PlanOptions } from './sparsify-options.js';

/** The training that the phases are for. */
export interface PhaseSite {
  readonly stepsPerEpoch: number;
  /** The sparsity at the end. */
  readonly goal: number;
  /** Globs of parameters that are frozen from the beginning. */
  readonly frozen: readonly string[];
}

/** The phases of a plan in steps. @throws TRAINING_REQUEST, OPTION_INVALID. */
export function sparsifyPhases(options: PlanOptions, site: PhaseSite): readonly Phase[] {
  return withFreezing(planOf(options, site), options, site);
}

function planOf(options: PlanOptions, { stepsPerEpoch, goal }: PhaseSite): readonly Phase[] {
  const { mode, rounds, between } = options;
  const steps = (epochs: number) => Math.round(epochs * stepsPerEpoch);
  const [before, ramp, after] = [steps(options.before), steps(options.ramp), steps(options.after)];
  switch (mode) {
    case 'one-shot':
      return phasePlan({ mode, sparsity: goal, before, after });
    case 'gradual': {
      const every = options.rampEvery > 0 ? options.rampEvery : Math.max(1, Math.floor(ramp / 100));
      const asked = options.rampSchedule ?? cubic();
      const sparsity: Schedule = (step) => asked(step, { steps: ramp, epoch: stepsPerEpoch, from: 0, to: goal });
      checkRamp(sparsity, { ramp, every, goal });
      return phasePlan({ mode, sparsity, before, ramp, every, after });
    }
    case 'iterative':
      return phasePlan({
        mode,
        sparsity: goal,
        rounds,
        steps: steps(options.roundEpochs),
        warm: steps(options.warm),
        between,
      });
  }
}

/** A ramp stays between 0 and 1, and ends where `sparsity` says. @throws TRAINING_REQUEST. */
function checkRamp(
  sparsity: Schedule,
  { ramp, every, goal }: { readonly ramp: number; readonly every: number; readonly goal: number },
): void {
  for (let step = 0; step < ramp; step += every) {
    const value = sparsity(step);
    if (value >= 0 && value < 1) continue;
    throw badRequest('sparsify.rampSchedule', {
      expected: 'a sparsity from 0 up to, but not including, 1',
      found: `${value} at step ${step}`,
    });
  }
  const end = sparsity(ramp);
  if (Math.abs(end - goal) <= 1e-6) return;
  throw badRequest('sparsify.rampSchedule', {
    expected: `a schedule that ends at ${goal}, the sparsity`,
    found: `${end} at the end of the ramp`,
    fix: 'Leave its last value out, or write the same one as `sparsity`.',
  });
}

/** Parameters freeze, and move again, right after the last pruning. @throws TRAINING_REQUEST. */
function withFreezing(
  phases: readonly Phase[],
  { unfreeze, freezeAfter }: PlanOptions,
  { frozen }: PhaseSite,
): readonly Phase[] {
  const strange = unfreeze.find((each) => !frozen.includes(each));
  if (strange !== undefined) {
    throw badRequest('sparsify.unfreeze', {
      expected: frozen.length
        ? `some of ${frozen.join(', ')}, as \`freeze\` has them`
        : 'nothing, as `freeze` is empty',
      found: `"${strange}"`,
    });
  }
  const changes: readonly Phase[] = [
    ...unfreeze.map((parameters): Phase => ({ do: 'unfreeze', parameters })),
    ...freezeAfter.map((parameters): Phase => ({ do: 'freeze', parameters })),
  ];
  const last = phases.findLastIndex((phase) => phase.do !== 'recover');
  return [...phases.slice(0, last + 1), ...changes, ...phases.slice(last + 1)];
}
