import { definePlugin, scalar, type ValueId } from '@espalier/core';

/**
 * Stochastic gradient descent with momentum μ and weight decay λ that is added to the gradient (coupled):
 *
 *     g ← g + λ w,  v ← μ v + g,  w ← w - η v          (with Nesterov: w ← w - η (g + μ v))
 *
 * (Sutskever et al. 2013, section 2, with the learning rate outside of v, so that a schedule acts at once.)
 * For w = 1, g = 0.5, v = 1, μ = 0.9, λ = 0, η = 0.1: v = 1.4 and w = 0.86.
 */
export const sgd = /* @__PURE__ */ definePlugin({
  kind: 'optimizer',
  id: 'sgd',
  about: 'Stochastic gradient descent with momentum.',
  options: {
    momentum: { type: 'number', default: 0.9, min: 0, max: 1, about: 'how much of the last step is kept' },
    nesterov: { type: 'boolean', default: false, about: 'whether to look one step ahead' },
    weightDecay: { type: 'number', default: 0, min: 0, about: 'decay added to the gradient' },
  },
  create: ({ momentum, nesterov, weightDecay }) => {
    const [mu, lambda] = [scalar(momentum), scalar(weightDecay)];
    return {
      state: momentum > 0 ? ['momentum'] : [],
      update(b, { parameter, gradient, state, learningRate, decays }) {
        const times = (value: ValueId, tensor: typeof mu, name: string) =>
          b.add('Mul', [value, b.constant(name, tensor)]);
        const g =
          decays && weightDecay > 0 ? b.add('Add', [gradient, times(parameter, lambda, 'weight_decay')]) : gradient;
        const before = state.get('momentum');
        const v = before === undefined ? g : b.add('Add', [times(before, mu, 'momentum_factor'), g]);
        const direction = nesterov && before !== undefined ? b.add('Add', [g, times(v, mu, 'momentum_factor')]) : v;
        return {
          parameter: b.add('Sub', [parameter, b.add('Mul', [direction, learningRate])]),
          state: before === undefined ? new Map() : new Map([['momentum', v]]),
        };
      },
    };
  },
});
