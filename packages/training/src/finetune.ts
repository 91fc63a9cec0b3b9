import { definePlugin, type Graph, type Trainer, type TrainerContext } from '@espalier/core';
import type { Phase } from '@espalier/schedules';
import { trainedParameters } from './decays-of.js';
import { trainByOptions } from './train-by-options.js';
import { type TrainerOptions, trainerOptions } from './trainer-options.js';

/** Trains on for some epochs, or from the beginning; what was pruned stays pruned. */
export const finetune = definePlugin({
  kind: 'trainer',
  id: 'finetune',
  about: 'Trains for some epochs with one optimizer and schedule; what was pruned before stays zero.',
  options: {
    epochs: { type: 'integer', default: 1, min: 0, about: 'passes over the training data' },
    freezeScales: {
      type: 'number',
      default: 1,
      min: 0,
      max: 1,
      about: 'share of the steps after which scales of learned quantizers stay; 1 for never',
    },
    ...trainerOptions,
  },
  create: ({ epochs, freezeScales, ...options }): Trainer => ({
    train(graph, context) {
      const plan =
        freezeScales < 1 ? { phases: phasesOf(graph, { epochs, freezeScales, options, context }) } : { epochs };
      return trainByOptions(graph, { options, context, plan });
    },
  }),
});

interface Freezing {
  readonly epochs: number;
  readonly freezeScales: number;
  readonly options: TrainerOptions;
  readonly context: TrainerContext;
}

/** Scales learn for a share of the steps, then stay while the weights go on. */
function phasesOf(graph: Graph, { epochs, freezeScales, options, context }: Freezing): readonly Phase[] {
  const steps = epochs * Math.floor(context.training.size / options.batch);
  const first = Math.round(steps * freezeScales);
  const scales = trainedParameters(graph).filter(({ role }) => role === 'quantizer');
  return [
    { do: 'train', steps: first },
    ...scales.map(({ value }): Phase => ({ do: 'freeze', parameters: value })),
    { do: 'train', steps: steps - first },
  ];
}
