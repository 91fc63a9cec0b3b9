import { definePlugin } from '@espalier/core';
import { contributionScorer } from './contribution-scorer.js';
import { meanSquare } from './sampled-rows.js';
import { weightGradients } from './weight-gradients.js';

/**
 * Second-order estimate of the loss that pruning costs, with the diagonal of the empirical Fisher information in place of
 * the Hessian (LeCun et al. 1989, Optimal Brain Damage; Theis et al. 2018, arXiv 1801.05787):
 *
 *     weights  ½ w² E[g²]             g of a batch: the information itself where each batch is one sample
 *     units    ½ E[(Σ x ∂L/∂x)²]      over what layers read of a unit, the mean over single samples
 *
 * Scores of units do not depend on how the data is cut into batches.
 * A weight of 2 with gradients 1 and -3 scores ½·4·(1 + 9)/2 = 10.
 */
export const fisher = definePlugin({
  kind: 'pruner',
  id: 'fisher',
  about: 'Prunes what costs the least loss to second order, by the empirical Fisher information.',
  options: {},
  create: () => ({
    ...weightGradients({ power: 2, of: (weight, square) => 0.5 * weight * weight * square }),
    units: contributionScorer('inputs', (rows) => meanSquare(rows).map((square) => square / 2)),
  }),
});
