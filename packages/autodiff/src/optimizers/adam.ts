import { definePlugin } from '@espalier/core';
import { adamOptions, adamState, createAdam } from './adam-moments.js';
import { learningRateOf, learningRateOptions } from './learning-rate.js';
import { createWeightDecay } from './weight-decay.js';

/**
 * Adam (Kingma & Ba 2015, arXiv 1412.6980): w ← w - η direction, with weight decay λ added to the gradient.
 * At the first step the direction is g/(|g| + ε): for w = 1, g = 0.5 and η = 0.1, w = 0.9.
 */
export const adam = /* @__PURE__ */ definePlugin({
  kind: 'optimizer',
  id: 'adam',
  about: 'Steps scaled by running moments of the gradient.',
  options: {
    ...adamOptions,
    weightDecay: { type: 'number', default: 0, min: 0, about: 'decay added to the gradient' },
    ...learningRateOptions,
  },
  create: ({ weightDecay, learningRate: rate, lr, ...options }) => {
    const [step, decayed] = [createAdam(options), createWeightDecay(weightDecay)];
    return {
      ...learningRateOf({ learningRate: rate, lr }, 'adam'),
      state: adamState,
      update(b, of) {
        const { parameter, learningRate } = of;
        const term = decayed(b, parameter, of.decay);
        const gradient = term === undefined ? of.gradient : b.add('Add', [of.gradient, term]);
        const { direction, state } = step(b, { ...of, gradient });
        return { parameter: b.add('Sub', [parameter, b.add('Mul', [direction, learningRate])]), state };
      },
    };
  },
});
