import { definePlugin, toFloats } from '@espalier/core';

const most = 3.4028234663852886e38; // the largest float32

/**
 * Scores a weight by its size (Han et al. 2015, arXiv 1506.02626): |w| with norm l1, w² with l2. Both order single
 * weights alike, so they choose the same ones; squares below 2^-149 become ties. They differ where scores of
 * different layers are divided by the norm of their layer first (`normalize: l2-per-layer`).
 * `magnitude().score(weights [-2, 0.5])` is `[4, 0.25]`.
 */
export const magnitude = definePlugin({
  kind: 'pruner',
  id: 'magnitude',
  about: 'Prunes the weights with the smallest absolute values.',
  options: {
    norm: {
      type: 'choice',
      of: ['l1', 'l2'],
      default: 'l2',
      about: 'the score of a weight: its size (l1) or square (l2)',
    },
  },
  create: ({ norm }) => ({
    needs: () => [],
    score({ weight }) {
      const weights = toFloats(weight);
      const scores = new Float32Array(weights.length);
      if (norm === 'l1') for (let i = 0; i < scores.length; i++) scores[i] = Math.min(Math.abs(weights[i]!), most);
      else for (let i = 0; i < scores.length; i++) scores[i] = Math.min(weights[i]! * weights[i]!, most);
      return scores;
    },
  }),
});
