import { definePlugin, toFloats } from '@espalier/core';
import { ascendingOrder } from './ascending-order.js';
import { countedVectors } from './counted-vectors.js';
import { squaredNorms } from './row-products.js';

/**
 * Layer-adaptive magnitude (Lee et al. 2021, arXiv 2010.07611, equation 3): with the weights of a layer (or the units of
 * a group, by their squared l2 norm) from the smallest to the largest,
 *
 *     score(u) = w[u]² / Σ over v ≥ u of w[v]²
 *
 * the share of a weight in what is left when all smaller ones are gone. It orders a layer as magnitude does and makes
 * layers comparable (`scope: global`, without normalisation): the largest weight of each scores 1, so no layer is lost.
 * Of equal weights the later counts as larger; zeros score 0.
 * Weights [2, 1, -2] score [4/8, 1/9, 4/4].
 */
export const lamp = definePlugin({
  kind: 'pruner',
  id: 'lamp',
  about: 'Prunes the weights or units that are small among those of their layer that are larger (LAMP).',
  options: {},
  create: () => ({
    needs: () => [],
    score({ weight }) {
      const sizes = toFloats(weight).map(Math.abs);
      return Float32Array.from(shares(sizes, (i) => sizes[i]! * sizes[i]!));
    },
    units: {
      needs: () => [],
      score(target) {
        const norms = squaredNorms(countedVectors(target), target.units);
        return shares(Float32Array.from(norms, Math.sqrt), (i) => norms[i]!);
      },
    },
  }),
});

/** Each square over the sum of the squares that are not smaller, itself included. */
function shares(sizes: Float32Array, squareOf: (i: number) => number): Float64Array {
  const order = ascendingOrder(sizes);
  const scores = new Float64Array(sizes.length);
  let sum = 0;
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const i = order[rank]!;
    const square = squareOf(i);
    sum += square;
    scores[i] = square > 0 ? square / sum : 0;
  }
  return scores;
}
