import type { Options, Resolved } from '@espalier/core';
import { augmentOptions } from './augment/augment-options.js';

/** The options of every trainer that runs `train`. */
export const trainerOptions = {
  batch: {
    type: 'integer',
    default: 64,
    min: 1,
    about: 'samples in a step; what does not fill the last one is left out',
  },
  learningRate: {
    type: 'number',
    optional: true,
    min: 0,
    about: "where the learning rate begins; the optimizer's own, or 0.01 unless given",
  },
  schedule: {
    type: 'plugin',
    kind: 'schedule',
    optional: true,
    about: 'learning rate by step; from `learningRate` to 0 along half a cosine unless given',
  },
  optimizer: { type: 'plugin', kind: 'optimizer', default: 'sgd', about: 'how gradients change weights' },
  loss: { type: 'plugin', kind: 'loss', default: 'cross-entropy', about: 'what is made small' },
  augment: { type: 'group', of: augmentOptions, about: 'how training images are varied' },
  clipNorm: { type: 'number', default: 0, min: 0, about: 'largest norm of all gradients together; 0 for no limit' },
  decays: {
    type: 'pairs',
    of: { type: 'number', min: 0 },
    default: [],
    about:
      "factors on the optimizer's weight decay by parameter, later ones first: `conv*=0.5`, `fc.bias=1`; 1 for weights and 0 for biases and norms unless named",
  },
  scaleRate: {
    type: 'number',
    default: 1,
    min: 0,
    about: 'factor on the learning rate of the scales of learned quantizers',
  },
  dampening: {
    type: 'number',
    default: 0,
    min: 0,
    about: 'strength by which quantized weights are held near the middle of their bins, against swinging between two',
  },
  batchNorm: {
    type: 'choice',
    of: ['batch', 'running'],
    default: 'batch',
    about: 'statistics of batch norms: those of each batch, or the running ones of the model, which then stay',
  },
  freeze: { type: 'texts', default: [], about: 'globs of parameters that do not change' },
  keepZeros: { type: 'boolean', default: true, about: 'weights that are zero stay zero, as after pruning' },
  evaluateEvery: { type: 'integer', default: 1, min: 1, about: 'epochs between two evaluations' },
  patience: {
    type: 'integer',
    default: 0,
    min: 0,
    formerly: 'earlyStopping',
    about: 'evaluations without a better one before it stops and returns the best weights; 0 for never',
  },
  keepBest: { type: 'boolean', default: false, about: 'return the weights of the best evaluation, not the last ones' },
  monitor: { type: 'text', default: '', about: 'metric that decides: top1 or loss; the first one when empty' },
  checkpointEvery: {
    type: 'integer',
    default: 0,
    min: 0,
    about: 'steps between two checkpoints; 0 for one each epoch',
  },
  batchNormBatches: {
    type: 'integer',
    default: 0,
    min: 0,
    about: 'batches from which the statistics of batch norms are recomputed at the end; 0 keeps the running ones',
  },
} as const satisfies Options;

/** The shared options of trainers, resolved. */
export type TrainerOptions = Resolved<typeof trainerOptions>;
