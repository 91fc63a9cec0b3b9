import { definePlugin } from '@espalier/core';
import { checkOpset } from '../check-target.js';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { targetOption, targetOr } from '../target-option.js';
import { dynamicCompressor } from './dynamic-compressor.js';
import type { DynamicSettings } from './dynamic-settings.js';

/** Quantizer: int8 weights, and activations quantized over the range they have at each run. Needs no data. */
export const dynamicQuantizer = definePlugin({
  kind: 'quantizer',
  id: 'dynamic',
  about: 'Integer weights, activations quantized at run time: no data needed; for transformers and recurrent nets.',
  options: {
    weights: {
      type: 'group',
      about: 'how weights are quantized',
      of: {
        type: {
          type: 'choice',
          of: ['int8', 'uint8'],
          default: 'int8',
          about: 'the type that integer kernels multiply; uint8 has its zero at 128 and never saturates on old x86',
        },
        granularity: { type: 'choice', of: ['channel', 'tensor'], default: 'channel', about: 'what shares a scale' },
        clip: {
          type: 'choice',
          of: ['minmax', 'mse'],
          default: 'minmax',
          about: 'the whole range, or the part of least squared error',
        },
        rounding: {
          type: 'plugin',
          kind: 'rounding',
          optional: true,
          about: 'how weights that are multiplied as integers are rounded. Default: each to the nearest; needs no data',
        },
      },
    },
    reduceRange: { type: 'boolean', default: false, about: '7-bit weights, for x86 processors without VNNI' },
    convs: {
      type: 'choice',
      of: ['stored', 'integer', 'float'],
      default: 'stored',
      about: 'convolutions: weights stored in 8 bits and computed in float, ConvInteger, or left alone',
    },
    recurrent: {
      type: 'boolean',
      default: true,
      about: 'quantize LSTM, and store the weights of GRU and RNN in 8 bits',
    },
    embeddings: { type: 'boolean', default: true, about: 'store tables that Gather reads in 8 bits' },
    ...targetOption,
    ...nodeChoiceOptions,
  },
  create: ({ target, weights, reduceRange, convs, recurrent, embeddings, ...choice }) => {
    const settings: DynamicSettings = {
      target: targetOr(target),
      weights: {
        bits: reduceRange ? 7 : 8,
        signed: weights.type === 'int8',
        symmetric: true,
        narrow: !reduceRange,
      },
      perChannel: weights.granularity === 'channel',
      clip: weights.clip,
      convs,
      recurrent,
      embeddings,
      leftOut: leftOutBy(choice),
    };
    checkOpset(settings.target, 13, 'quantizer dynamic');
    return dynamicCompressor(settings, { rounding: weights.rounding });
  },
});
