import type { Options, Resolved } from '@espalier/core';
import { pruneOptions } from '@espalier/pruners';
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
  before: {
    type: 'number',
    default: 0,
    min: 0,
    when: { mode: ['one-shot', 'gradual'] },
    about: 'epochs before anything is pruned',
  },
  ramp: {
    type: 'number',
    default: 2,
    min: 0,
    when: { mode: ['gradual'] },
    about: 'epochs in which the sparsity rises',
  },
  rampSchedule: {
    type: 'plugin',
    kind: 'schedule',
    optional: true,
    when: { mode: ['gradual'] },
    about: 'the sparsity by step of the ramp, from 0 to `sparsity`; cubic unless given',
  },
  rampEvery: {
    type: 'integer',
    default: 0,
    min: 0,
    when: { mode: ['gradual'] },
    about: 'steps between two looks at the schedule; 0 for a hundredth of the ramp',
  },
  after: {
    type: 'number',
    default: 1,
    min: 0,
    when: { mode: ['one-shot', 'gradual'] },
    about: 'epochs after the last pruning',
  },
  rounds: { type: 'integer', default: 3, min: 1, when: { mode: ['iterative'] }, about: 'how often it prunes' },
  roundEpochs: {
    type: 'number',
    default: 1,
    min: 0,
    when: { mode: ['iterative'] },
    about: 'epochs before the first pruning and after each',
  },
  between: {
    type: 'choice',
    of: ['continue', 'rewind', 'reinitialise'],
    default: 'continue',
    when: { mode: ['iterative'] },
    about: 'whether the remaining weights continue, return to early values, or are reinitialized after a pruning',
  },
  warm: {
    type: 'number',
    default: 0,
    min: 0,
    when: { mode: ['iterative'], between: ['rewind'] },
    about: 'epochs before the first round, whose weights are returned to',
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
