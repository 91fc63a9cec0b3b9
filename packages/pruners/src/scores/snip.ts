import { definePlugin } from '@espalier/core';
import { weightGradients } from './weight-gradients.js';

/**
 * Connection sensitivity (Lee et al. 2019, arXiv 1810.02340, equation 4): |g w| with the mean gradient g over all data.
 * The paper divides by the sum over the network, which orders nothing differently. Made for networks before training,
 * where gradients are large. A weight of -2 with gradients 1 and -3 scores |-2 · -1| = 2.
 */
export const snip = definePlugin({
  kind: 'pruner',
  id: 'snip',
  about: 'Prunes the weights whose removal changes the loss least, by size times gradient (SNIP).',
  options: {},
  create: () => weightGradients({ power: 1, of: (weight, gradient) => Math.abs(weight * gradient) }),
});
