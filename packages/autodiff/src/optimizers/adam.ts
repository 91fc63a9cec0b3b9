import { definePlugin, scalar } from '@espalier/core';
import { adamOptions, adamState, createAdam } from './adam-moments.js';

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
  },
  create: ({ weightDecay, ...options }) => {
    const [step, lambda] = [createAdam(options), scalar(weightDecay)];
    return {
      state: adamState,
      update(b, of) {
        const { parameter, learningRate } = of;
        const gradient =
          of.decays && weightDecay > 0
            ? b.add('Add', [of.gradient, b.add('Mul', [parameter, b.constant('weight_decay', lambda)])])
            : of.gradient;
        const { direction, state } = step(b, { ...of, gradient });
        return { parameter: b.add('Sub', [parameter, b.add('Mul', [direction, learningRate])]), state };
      },
    };
  },
});
