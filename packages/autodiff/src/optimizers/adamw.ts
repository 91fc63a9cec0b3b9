import { definePlugin } from '@espalier/core';
import { adamOptions, adamState, createAdam } from './adam-moments.js';
import { learningRateOf, learningRateOptions } from './learning-rate.js';
import { createWeightDecay } from './weight-decay.js';

/**
 * Adam with decoupled weight decay λ (Loshchilov & Hutter 2019, arXiv 1711.05101, algorithm 2, with η for both):
 *
 *     w ← w - η (direction + λ w)
 *
 * For w = 1, g = 0.5, η = 0.1 and λ = 0.01 the first step gives 0.899.
 */
export const adamw = /* @__PURE__ */ definePlugin({
  kind: 'optimizer',
  id: 'adamw',
  about: 'Adam whose weight decay does not pass through the moments.',
  options: {
    ...adamOptions,
    weightDecay: { type: 'number', default: 0.01, min: 0, about: 'share of a weight that decays, times learning rate' },
    ...learningRateOptions,
  },
  create: ({ weightDecay, learningRate: rate, lr, ...options }) => {
    const [step, decayed] = [createAdam(options), createWeightDecay(weightDecay)];
    return {
      ...learningRateOf({ learningRate: rate, lr }, 'adamw'),
      state: adamState,
      update(b, of) {
        const { parameter, learningRate } = of;
        const { direction, state } = step(b, of);
        const term = decayed(b, parameter, of.decay);
        const whole = term === undefined ? direction : b.add('Add', [direction, term]);
        return { parameter: b.add('Sub', [parameter, b.add('Mul', [whole, learningRate])]), state };
      },
    };
  },
});
