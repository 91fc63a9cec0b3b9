import { definePlugin } from '@espalier/core';
import { countedVectors } from './counted-vectors.js';
import { rowProducts, squaredNorms } from './row-products.js';

/**
 * Redundancy: 1 less the cosine of the angle between the weights of a unit and those of the unit of its group that is
 * most similar to it (after Ayinde & Zurada 2018, arXiv 1802.07653). 0 for a unit with a twin up to a positive factor, 1
 * for one at right angles to all others and for a unit alone, 2 at most. Units of zeros score 0.
 *
 * Both of a pair of twins score low. With `against: larger` a unit is compared only with those of larger norm (of equal
 * ones, with the later), so that one of each pair stays.
 * Units with weights [1, 0], [2, 0] and [0, 1] score [0, 0, 1], against larger ones [0, 1, 1].
 */
export const cosine = definePlugin({
  kind: 'pruner',
  id: 'cosine',
  about: 'Prunes the units that point the same way as another unit of their group.',
  options: {
    against: {
      type: 'choice',
      of: ['all', 'larger'],
      default: 'all',
      about: 'which other units a unit is compared with: all, or those of larger norm',
    },
  },
  create: ({ against }) => ({
    units: {
      needs: () => [],
      score(target) {
        const { units } = target;
        const vectors = countedVectors(target);
        const norms = squaredNorms(vectors, units);
        const nearest = new Float64Array(units).fill(Number.NaN);
        const note = (unit: number, similarity: number) => {
          if (!(nearest[unit]! >= similarity)) nearest[unit] = similarity;
        };
        rowProducts(vectors, units, (i, products) => {
          for (let j = i + 1; j < units; j++) {
            const scale = norms[i]! * norms[j]!;
            if (scale === 0) continue;
            const similarity = products[j]! / Math.sqrt(scale);
            if (against === 'all' || norms[j]! >= norms[i]!) note(i, similarity);
            if (against === 'all' || norms[j]! < norms[i]!) note(j, similarity);
          }
        });
        return nearest.map((similarity, unit) => {
          if (norms[unit] === 0) return 0;
          return Number.isNaN(similarity) ? 1 : Math.min(2, Math.max(0, 1 - similarity));
        });
      },
    },
  }),
});
