import { definePlugin, problem, scalar } from '@espalier/core';
import { missingLossInput } from '../errors.js';
import { squaredError } from './mean-squared-error.js';

/**
 * Values inside the network are drawn to those of a teacher (FitNets: Romero et al. 2015, arXiv 1412.6550, eq. 3,
 * without a regressor): loss + weight · Σ over values of mean squared error(value, teacher's value). Each value gets a
 * further input `VALUE.teacher` of its own shape.
 */
export const featureMatching = /* @__PURE__ */ definePlugin({
  kind: 'loss',
  id: 'feature-matching',
  about: 'Agreement of inner values with those of a teacher, on top of another loss.',
  options: {
    loss: { type: 'plugin', kind: 'loss', default: 'cross-entropy', about: 'the loss of the output' },
    values: { type: 'texts', about: 'names of the values that are matched' },
    weight: { type: 'number', default: 1, min: 0, about: 'weight of the matching' },
  },
  create: ({ loss, values, weight }) => ({
    ...loss,
    inputs(site) {
      const own = values.map((value) => {
        const info = site.info(value);
        if (info) return [`${value}.teacher`, info] as const;
        throw problem('AUTODIFF_LOSS', {
          where: 'loss feature-matching.values',
          expected: 'the name of a value of the network',
          found: `"${value}"`,
        });
      });
      return new Map([...(loss.inputs?.(site) ?? []), ...own]);
    },
    build(b, of) {
      const base = loss.build(b, of);
      if (values.length === 0) return base;
      const terms = values.map((value) => {
        const teacher = of.inputs?.get(`${value}.teacher`);
        if (teacher === undefined) throw missingLossInput('loss feature-matching', `${value}.teacher`);
        return squaredError(b, value, teacher);
      });
      const matched = b.add('Mul', [b.add('Sum', terms), b.constant('matching_weight', scalar(weight))]);
      return b.add('Add', [base, matched], { name: 'loss' });
    },
  }),
});
