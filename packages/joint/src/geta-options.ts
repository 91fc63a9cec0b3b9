import type { Options, Resolved } from '@espalier/core';
import { trainerOptions } from '@espalier/training';

const {
  keepBest: _best,
  patience: _patience,
  monitor: _monitor,
  keepZeros: _zeros,
  scaleRate: _rate,
  ...shared
} = trainerOptions;

const weight = (about: string) => ({ type: 'number', default: 0.2, min: 0, about }) as const;

/** Options of the trainer `geta`. */
export const getaOptions = {
  sparsity: { type: 'number', default: 0.5, min: 0, max: 1, about: 'the share that is removed' },
  goal: {
    type: 'choice',
    of: ['units', 'parameters', 'macs', 'bytes'],
    default: 'units',
    about: 'what `sparsity` is the share of: units are channels, neurons and attention heads',
  },
  bits: {
    type: 'group',
    about: 'the widths that weights may have',
    of: {
      min: { type: 'integer', default: 4, min: 2, max: 16, about: 'the fewest bits of a weight' },
      max: {
        type: 'integer',
        default: 8,
        min: 2,
        max: 16,
        about: 'the most bits of a weight; files hold codes up to 8',
      },
    },
  },
  activations: {
    type: 'group',
    about: 'the widths that activations may have',
    of: {
      quantize: { type: 'boolean', default: true, about: 'whether activations are quantized; otherwise weights alone' },
      min: { type: 'integer', default: 8, min: 2, max: 8, about: 'the fewest bits of an activation' },
      max: { type: 'integer', default: 8, min: 2, max: 8, about: 'the most bits of an activation' },
    },
  },
  granularity: {
    type: 'choice',
    of: ['channel', 'tensor'],
    default: 'channel',
    about: 'what shares a step of a weight',
  },
  exponent: { type: 'boolean', default: false, about: 'whether weights learn the power t of their magnitudes' },
  startBits: {
    type: 'integer',
    default: 16,
    min: 8,
    max: 32,
    about: 'the width at which weights begin, and the projection stage',
  },
  epochs: { type: 'number', default: 20, min: 0, about: 'passes over the training data in all stages' },
  warm: { type: 'number', default: 0.1, min: 0, max: 1, about: 'share of the epochs of the warm-up stage' },
  projection: {
    type: 'group',
    about: 'the stage that brings widths into their range',
    of: {
      share: { type: 'number', default: 0.15, min: 0, max: 1, about: 'share of the epochs' },
      periods: { type: 'integer', default: 5, min: 1, about: 'reductions of the widest permitted width' },
    },
  },
  joint: {
    type: 'group',
    about: 'the stage that removes units',
    of: {
      share: { type: 'number', default: 0.25, min: 0, max: 1, about: 'share of the epochs' },
      periods: { type: 'integer', default: 5, min: 1, about: 'rankings of the units' },
    },
  },
  saliency: {
    type: 'group',
    about: 'weights of the criteria that rank units',
    of: {
      magnitude: weight('of the l2 norm of the weights'),
      averageMagnitude: weight('of the l2 norm divided by the number of weights'),
      cosine: weight('of the angle between weights and the direction of the optimizer'),
      firstOrder: weight('of the first-order Taylor term'),
      secondOrder: weight('of the second-order Taylor term'),
    },
  },
  normalize: {
    type: 'choice',
    of: ['none', 'mean', 'max', 'l2'],
    default: 'none',
    about: 'what the scores of a group are divided by before groups are compared',
  },
  multiple: {
    type: 'integer',
    default: 8,
    min: 1,
    max: 256,
    about: 'widths of layers stay multiples of this, as kernels compute in blocks of 8 or 16; 1 for any',
  },
  minimum: {
    type: 'number',
    default: 0.1,
    min: 0,
    about: 'the fewest units left of a group, or the share of them if below 1',
  },
  quantizerRate: {
    type: 'number',
    default: 0.01,
    min: 0,
    about: 'factor on the learning rate of the steps, limits and exponents of quantizers',
  },
  calibrationBatches: {
    type: 'integer',
    default: 4,
    min: 1,
    about: 'batches that the ranges of activations are measured on',
  },
  ignore: { type: 'texts', default: [], about: 'patterns of node ids to leave float (* and ?)' },
  ...shared,
} as const satisfies Options;

/** The options of `geta`, resolved. */
export type GetaOptions = Resolved<typeof getaOptions>;
