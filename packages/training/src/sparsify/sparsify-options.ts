import type { Options, Resolved } from '@espalier/core';
import { pruneOptions } from '@espalier/pruners';
import { badRequest } from '../errors.js';
import { trainerOptions } from '../trainer-options.js';

/** The course of the sparsity. */
export type SparsifyMode = 'one-shot' | 'gradual' | 'iterative';

/** Options of pruning while training, beside those that all trainers share. Lengths are in epochs, and may be broken. */
export const planOptions = {
  mode: {
    type: 'choice',
    of: ['one-shot', 'gradual', 'iterative'],
    default: 'gradual',
    about: 'pruned at once, along a ramp while training, or in rounds of training and pruning',
  },
  pruner: { type: 'plugin', kind: 'pruner', default: 'magnitude', about: 'which weights matter least' },
  ...pruneOptions,
  before: { type: 'number', default: 0, min: 0, about: 'one-shot and gradual: epochs before anything is pruned' },
  ramp: { type: 'number', default: 2, min: 0, about: 'gradual: epochs in which the sparsity rises' },
  rampSchedule: {
    type: 'plugin',
    kind: 'schedule',
    optional: true,
    about: 'gradual: the sparsity by step of the ramp, from 0 to `sparsity`; cubic unless given',
  },
  rampEvery: {
    type: 'integer',
    default: 0,
    min: 0,
    about: 'gradual: steps between two looks at the schedule; 0 for a hundredth of the ramp',
  },
  after: { type: 'number', default: 1, min: 0, about: 'one-shot and gradual: epochs after the last pruning' },
  rounds: { type: 'integer', default: 3, min: 1, about: 'iterative: how often it prunes' },
  roundEpochs: {
    type: 'number',
    default: 1,
    min: 0,
    about: 'iterative: epochs before the first pruning and after each',
  },
  between: {
    type: 'choice',
    of: ['continue', 'rewind', 'reinitialise'],
    default: 'continue',
    about:
      'iterative: whether the remaining weights continue, return to early values, or are reinitialized after a pruning',
  },
  warm: {
    type: 'number',
    default: 0,
    min: 0,
    about: 'iterative with `between: rewind`: epochs before the first round, whose weights are returned to',
  },
  unfreeze: { type: 'texts', default: [], about: 'globs of `freeze` that move once the last pruning is done' },
  freezeAfter: {
    type: 'texts',
    default: [],
    about: 'globs of parameters that stop moving once the last pruning is done',
  },
} as const satisfies Options;

/** Every option of `sparsify`. */
export const sparsifyOptions = { ...planOptions, ...trainerOptions } as const satisfies Options;

/** The options of the plan, resolved. */
export type PlanOptions = Resolved<typeof planOptions>;

const modes = {
  before: ['one-shot', 'gradual'],
  ramp: ['gradual'],
  rampSchedule: ['gradual'],
  rampEvery: ['gradual'],
  after: ['one-shot', 'gradual'],
  rounds: ['iterative'],
  roundEpochs: ['iterative'],
  between: ['iterative'],
  warm: ['iterative'],
} as const satisfies { readonly [K in keyof PlanOptions]?: readonly SparsifyMode[] };

/** Refuses options that the mode does not look at: none is ignored. @throws TRAINING_REQUEST. */
export function refuseForeignOptions(written: PlanOptions): void {
  const { mode, between, warm } = written;
  for (const [name, own] of Object.entries(modes) as readonly [keyof typeof modes, readonly SparsifyMode[]][]) {
    const option = planOptions[name];
    const usual = 'default' in option ? option.default : undefined;
    if (own.includes(mode) || written[name] === usual) continue;
    throw badRequest(`sparsify.${name}`, {
      expected: `mode ${own.join(' or ')}`,
      found: `mode ${mode}`,
      fix: 'Remove the option, or change the mode.',
    });
  }
  if (warm > 0 && between !== 'rewind') {
    throw badRequest('sparsify.warm', { expected: 'between: rewind', found: `between: ${between}` });
  }
}
