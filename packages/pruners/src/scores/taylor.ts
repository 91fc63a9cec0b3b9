import { definePlugin } from '@espalier/core';
import { contributionScorer } from './contribution-scorer.js';
import { meanSquare, squaredMean } from './sampled-rows.js';
import { weightGradients } from './weight-gradients.js';

/**
 * First-order Taylor expansion: the square of what the loss changes when something is set to zero (Molchanov et al.
 * 2019, arXiv 1906.10771). With the gradient g of the loss:
 *
 *     weight  Σ (g w)²  over the weights of a unit            equation 8
 *     unit    (Σ g w)²  the same, summed before squaring      equation 9, at weights; for a single weight (g w)²
 *     gate    (Σ x ∂L/∂x)²  over what layers read of a unit   equation 10: the gradient to a gate of 1 on its reads
 *
 * `average: squares` takes the mean of the squares, as in the paper: of batches at weights, of single samples at gates.
 * `average: gradients` squares the mean over all data; then the scores do not depend on how the data is cut into batches.
 * With w = [2, 1] in one unit and gradients [1, -1] in each of two equal batches: weight 4 + 1 = 5, unit (2 - 1)² = 1.
 */
export const taylor = definePlugin({
  kind: 'pruner',
  id: 'taylor',
  about: 'Prunes what changes the loss least to first order (weights, units or gates).',
  options: {
    form: {
      type: 'choice',
      of: ['unit', 'gate', 'weight'],
      default: 'unit',
      about: 'what is summed before squaring: g·w over a unit, x·∂L/∂x over what layers read of it, or nothing',
    },
    average: {
      type: 'choice',
      of: ['squares', 'gradients'],
      default: 'squares',
      about: 'the mean of squares over batches (of samples for gates), or the square of the mean over all data',
    },
  },
  create({ form, average }) {
    const weights = weightGradients(
      average === 'squares'
        ? { power: 2, of: (weight, square) => weight * weight * square }
        : { power: 1, of: (weight, gradient) => (weight * gradient) ** 2 },
    );
    if (form === 'weight') return weights;
    const combine = average === 'squares' ? meanSquare : squaredMean;
    if (form === 'gate') return { units: contributionScorer('inputs', combine) };
    return { ...weights, units: contributionScorer('weights', combine) };
  },
});
