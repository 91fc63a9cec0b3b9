import { createRandom, definePlugin, sizeOf } from '@espalier/core';

/**
 * Scores by chance: the baseline that every other score has to beat. The scores of a weight, or of the units of a group,
 * depend on the seed and its name alone, not on the rest of the network.
 */
export const randomPruner = definePlugin({
  kind: 'pruner',
  id: 'random',
  about: 'Prunes weights or units by chance: the baseline to beat.',
  options: { seed: { type: 'integer', default: 0, about: 'seed of the random numbers' } },
  create: ({ seed }) => ({
    needs: () => [],
    score({ value, weight }) {
      const random = createRandom(seed).fork(value);
      const scores = new Float32Array(sizeOf(weight.shape));
      for (let i = 0; i < scores.length; i++) scores[i] = random.next();
      return scores;
    },
    units: {
      weightless: true,
      needs: () => [],
      score({ group, units }) {
        const random = createRandom(seed).fork(group);
        return Float64Array.from({ length: units }, random.next);
      },
    },
  }),
});
