import { definePlugin, type Graph, type Trainer, type TrainerContext } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import {
  type PruneOptions,
  pruneOptions,
  pruneWeights,
  readPruneOptions,
  type WrittenPruneOptions,
} from '@espalier/pruners';
import { cosine } from '@espalier/schedules';
import { checkPatterns, trainedParameters } from '../decays-of.js';
import { type TrainerPlan, trainByOptions } from '../train-by-options.js';
import type { TrainerOptions } from '../trainer-options.js';
import { chooseMasks } from './choose-masks.js';
import { goalOf } from './goal-at.js';
import { roundRate } from './round-rate.js';
import { type PlanOptions, sparsifyOptions } from './sparsify-options.js';
import { sparsifyPhases } from './sparsify-phases.js';
import { sparsityNotes } from './sparsity-notes.js';

/**
 * Prunes while it trains: at once (Han et al. 2015, arXiv 1506.02626), along a ramp (Zhu & Gupta 2017, arXiv
 * 1710.01878), or in rounds, on to lottery tickets (Frankle & Carbin 2019, arXiv 1803.03635).
 */
export const sparsify = definePlugin({
  kind: 'trainer',
  id: 'sparsify',
  about: 'Prunes during training: in one step, along a ramp, or in rounds that continue, rewind or reinitialize.',
  options: sparsifyOptions,
  create(options): Trainer {
    return {
      async train(graph, context) {
        const plan = planOf(graph, options, context);
        const trained = await trainByOptions(graph, { options, context, plan });
        return { ...trained, notes: sparsityNotes(trained.graph, trained.masks) };
      },
    };
  },
});

function planOf(
  graph: Graph,
  options: PlanOptions & TrainerOptions,
  { training, evidence }: TrainerContext,
): TrainerPlan {
  const names = trainedParameters(graph).map(({ value }) => value);
  checkPatterns('sparsify.freezeAfter', options.freezeAfter, names);
  const stepsPerEpoch = Math.max(1, Math.floor(training.size / options.batch));
  const wanted = pruningOf(options);
  pruneWeights(wanted)(inferShapes(graph)); // refuses contradictions before anything runs
  const { keepZeros, schedule } = options;
  const [warm, round] = [options.warm, options.roundEpochs].map((epochs) => Math.round(epochs * stepsPerEpoch));
  return {
    phases: sparsifyPhases(options, { stepsPerEpoch, goal: goalOf(wanted), frozen: options.freeze }),
    prune: chooseMasks({ options: wanted, keepZeros, evidence }),
    ...(options.mode === 'iterative'
      ? { schedule: roundRate(schedule ?? cosine(), { warm: warm!, round: round! }) }
      : {}),
  };
}

/** The options of the pruning driver, out of all options. */
function pruningOf(options: PlanOptions): PruneOptions {
  const names = Object.keys(pruneOptions) as readonly (keyof WrittenPruneOptions)[]; // its own keys
  const written = Object.fromEntries(names.map((name) => [name, options[name]]));
  return readPruneOptions(written as WrittenPruneOptions, options.pruner); // every key of the table
}
