import { definePlugin, type Trainer } from '@espalier/core';
import { trainByOptions } from './train-by-options.js';
import { trainerOptions } from './trainer-options.js';

/** Trains on for some epochs, or from the beginning; what was pruned stays pruned. */
export const finetune = definePlugin({
  kind: 'trainer',
  id: 'finetune',
  about: 'Trains for some epochs with one optimizer and schedule; what was pruned before stays zero.',
  options: {
    epochs: { type: 'integer', default: 1, min: 0, about: 'passes over the training data' },
    ...trainerOptions,
  },
  create: ({ epochs, ...options }): Trainer => ({
    train: (graph, context) => trainByOptions(graph, { options, context, plan: { epochs } }),
  }),
});
