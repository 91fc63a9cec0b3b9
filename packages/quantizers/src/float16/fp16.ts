import { definePlugin } from '@espalier/core';
import { singlePrecision } from '@espalier/passes';
import { leftOutBy, nodeChoiceOptions } from '../node-choice.js';
import { computeInHalf } from './compute-in-half.js';
import { storeInHalf } from './store-in-half.js';

/** Quantizer: weights in float16, and if wanted the whole computation. Needs no data. */
export const fp16Quantizer = definePlugin({
  kind: 'quantizer',
  id: 'fp16',
  about: 'Weights in float16, half the bytes; computes in float32, or in float16 where the target has the kernels.',
  options: {
    compute: {
      type: 'choice',
      of: ['float32', 'float16'],
      default: 'float32',
      about: 'float32 loads everywhere; float16 is for GPUs (inputs and outputs of the model stay float32)',
    },
    keep: { type: 'texts', default: [], about: 'further op types that compute in float32 when the rest is float16' },
    smallest: {
      type: 'integer',
      default: 32,
      min: 1,
      about: 'constants with fewer elements stay float32 (storage only)',
    },
    ...nodeChoiceOptions,
  },
  create: ({ compute, keep, smallest, ...choice }) => {
    const leftOut = leftOutBy(choice);
    return (given) => {
      const { graph } = singlePrecision(given, ['float64']);
      return {
        graph,
        needs: [],
        apply: () =>
          compute === 'float16' ? computeInHalf(graph, { keep, leftOut }) : storeInHalf(graph, { smallest, leftOut }),
      };
    };
  },
});
