import { problem, type Schedule } from '@espalier/core';

/** One thing that a training run does before it goes on to the next. Phases are data: a resumed run reads them again. */
export type Phase =
  /** Ordinary training for some steps; the mask, if there is one, is kept. */
  | { readonly do: 'train' | 'recover'; readonly steps: number }
  /** Training while the sparsity follows a schedule of the steps since the phase began, looked at every `every` steps. */
  | { readonly do: 'ramp'; readonly steps: number; readonly every: number; readonly sparsity: Schedule }
  /** The sparsity is raised to this value at once. */
  | { readonly do: 'prune'; readonly sparsity: number }
  /** Weights are kept under a name, to be rewound to. */
  | { readonly do: 'keep'; readonly name: string }
  /** Weights that are not pruned return to those kept under the name; the mask stays. */
  | { readonly do: 'rewind'; readonly to: string }
  /** Weights that are not pruned are reinitialized from the seed; the mask stays (the control of lottery tickets). */
  | { readonly do: 'reinitialise' }
  /** Parameters whose names match a glob no longer change, or change again. */
  | { readonly do: 'freeze' | 'unfreeze'; readonly parameters: string };

/** Prunes at once, then recovers. */
export interface OneShotPlan {
  readonly mode: 'one-shot';
  readonly sparsity: number;
  /** Steps of training before the cut. */
  readonly before?: number;
  /** Steps of training after it. */
  readonly after: number;
}

/** Raises the sparsity while training, then recovers. */
export interface GradualPlan {
  readonly mode: 'gradual';
  /** Sparsity by step of the ramp. */
  readonly sparsity: Schedule;
  readonly before?: number;
  readonly ramp: number;
  /** Steps between two looks at the schedule. Default: 100. */
  readonly every?: number;
  readonly after: number;
}

/** Repeats train, prune; with what happens to the surviving weights between rounds. */
export interface IterativePlan {
  readonly mode: 'iterative';
  readonly sparsity: number;
  readonly rounds: number;
  /** Steps of training per round, and once more at the end. */
  readonly steps: number;
  /** Steps before the first round whose result is kept, for `rewind`; 0 keeps the initial weights. */
  readonly warm?: number;
  /** `continue`: fine-tune on. `rewind`: lottery tickets (Frankle et al. 2019, arXiv 1903.01611). `reinitialise`: its control. */
  readonly between?: 'continue' | 'rewind' | 'reinitialise';
}

/**
 * The phases of a one-shot, gradual or iterative compression. Iterative rounds remove the same share of what is
 * left: after round r of n the sparsity is 1 - (1 - sparsity)^(r/n) (Frankle & Carbin 2019, arXiv 1803.03635).
 * @throws OPTION_INVALID for sparsities outside [0, 1) and steps that are not whole.
 */
export function phasePlan(plan: OneShotPlan | GradualPlan | IterativePlan): readonly Phase[] {
  switch (plan.mode) {
    case 'one-shot':
      return present([
        { do: 'train', steps: whole('before', plan.before ?? 0) },
        { do: 'prune', sparsity: share(plan.sparsity) },
        { do: 'recover', steps: whole('after', plan.after) },
      ]);
    case 'gradual':
      return present([
        { do: 'train', steps: whole('before', plan.before ?? 0) },
        {
          do: 'ramp',
          steps: whole('ramp', plan.ramp),
          every: Math.max(1, whole('every', plan.every ?? 100)),
          sparsity: plan.sparsity,
        },
        { do: 'prune', sparsity: share(plan.sparsity(plan.ramp, { steps: plan.ramp })) },
        { do: 'recover', steps: whole('after', plan.after) },
      ]);
    case 'iterative':
      return iterative(plan);
  }
}

function iterative({ sparsity, rounds, steps, warm = 0, between = 'continue' }: IterativePlan): readonly Phase[] {
  share(sparsity);
  if (whole('rounds', rounds) < 1) throw wrong('rounds', 'at least 1', rounds);
  const phases: Phase[] = [
    { do: 'train', steps: whole('warm', warm) },
    ...(between === 'rewind' ? [{ do: 'keep', name: 'rewind' } as const] : []),
    { do: 'train', steps: whole('steps', steps) },
  ];
  for (let round = 1; round <= rounds; round++) {
    phases.push({ do: 'prune', sparsity: 1 - (1 - sparsity) ** (round / rounds) });
    if (between === 'rewind') phases.push({ do: 'rewind', to: 'rewind' });
    if (between === 'reinitialise') phases.push({ do: 'reinitialise' });
    phases.push({ do: 'recover', steps });
  }
  return present(phases);
}

const present = (phases: readonly Phase[]): readonly Phase[] =>
  phases.filter((phase) => !('steps' in phase) || phase.steps > 0);

function share(value: number): number {
  if (value >= 0 && value < 1) return value;
  throw wrong('sparsity', 'a number from 0 up to, but not including, 1', value);
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw wrong(name, 'a whole number of steps', value);
}

const wrong = (name: string, expected: string, found: number) =>
  problem('OPTION_INVALID', { where: `phase plan, ${name}`, expected, found: String(found) });
