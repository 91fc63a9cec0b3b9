import { definePlugin } from '@espalier/core';
import { countedVectors } from './counted-vectors.js';
import { rowProducts, squaredNorms } from './row-products.js';

/**
 * Distance to the geometric median (He et al. 2019, arXiv 1811.00250, equation 6): the score of a unit is the sum of the
 * l2 distances of its weights to those of all other units of the group. The unit with the smallest sum is nearest to the
 * geometric median, and the others can stand in for it. In the paper the weights are those that make the unit
 * (`weights: producers`). A unit alone, and units that are all equal, score 0.
 * Units with weights [0], [1] and [3] score [4, 3, 5].
 */
export const fpgm = definePlugin({
  kind: 'pruner',
  id: 'fpgm',
  about: 'Prunes the units that are nearest to the geometric median of their group (FPGM).',
  options: {},
  create: () => ({
    units: {
      needs: () => [],
      score(target) {
        const { units } = target;
        const vectors = countedVectors(target);
        const norms = squaredNorms(vectors, units);
        const scores = new Float64Array(units);
        rowProducts(vectors, units, (i, products) => {
          for (let j = i + 1; j < units; j++) {
            const distance = Math.sqrt(Math.max(0, norms[i]! + norms[j]! - 2 * products[j]!));
            scores[i]! += distance;
            scores[j]! += distance;
          }
        });
        return scores;
      },
    },
  }),
});
