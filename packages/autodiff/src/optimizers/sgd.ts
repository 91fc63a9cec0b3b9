import { definePlugin, problem, scalar, type ValueId } from '@espalier/core';
import { learningRateOf, learningRateOptions } from './learning-rate.js';
import { createWeightDecay } from './weight-decay.js';

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
    ...learningRateOptions,
  },
  create: ({ momentum, nesterov, weightDecay, ...rates }) => {
    if (nesterov && momentum === 0) {
      throw problem('OPTION_INVALID', {
        where: 'optimizer sgd.nesterov',
        expected: 'false without momentum',
        found: 'true with momentum 0',
      });
    }
    const mu = scalar(momentum);
    const decayed = createWeightDecay(weightDecay);
    return {
      ...learningRateOf(rates, 'sgd'),
      state: momentum > 0 ? ['momentum'] : [],
      update(b, { parameter, gradient, state, learningRate, decay }) {
        const kept = (value: ValueId) => b.add('Mul', [value, b.constant('momentum_factor', mu)]);
        const term = decayed(b, parameter, decay);
        const g = term === undefined ? gradient : b.add('Add', [gradient, term]);
        const before = state.get('momentum');
        const v = before === undefined ? g : b.add('Add', [kept(before), g]);
        const direction = nesterov && before !== undefined ? b.add('Add', [g, kept(v)]) : v;
        return {
          parameter: b.add('Sub', [parameter, b.add('Mul', [direction, learningRate])]),
          state: before === undefined ? new Map() : new Map([['momentum', v]]),
        };
      },
    };
  },
});
