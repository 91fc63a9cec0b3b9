import { definePlugin, toFloats } from '@espalier/core';

const most = 3.4028234663852886e38; // the largest float32

/**
 * Scores a weight by its size (Han et al. 2015, arXiv 1506.02626): |w| with norm l1, w² with l2, |w|^p with lp. All order
 * single weights alike, so they choose the same ones; scores below 2^-149 become ties. They differ where the weights of a
 * unit are summed, which gives its norm to the power p (the order of the norms), and where scores of different layers are
 * divided by the norm of their layer first (`normalize: l2-per-layer`).
 * `magnitude().score(weights [-2, 0.5])` is `[4, 0.25]`; with `{ norm: 'lp', p: 3 }` it is `[8, 0.125]`.
 * @throws OPTION_CONFLICT for a p beside another norm.
 */
export const magnitude = definePlugin({
  kind: 'pruner',
  id: 'magnitude',
  about: 'Prunes the weights with the smallest absolute values.',
  options: {
    norm: {
      type: 'choice',
      of: ['l1', 'l2', 'lp'],
      default: 'l2',
      about: 'the score of a weight: its size (l1), its square (l2), or its size to the power p (lp)',
    },
    p: { type: 'number', default: 2, min: 0.01, max: 100, when: { norm: ['lp'] }, about: 'the power' },
  },
  create({ norm, p }) {
    return {
      needs: () => [],
      score({ weight }) {
        const weights = toFloats(weight);
        const scores = new Float32Array(weights.length);
        if (norm === 'l1') for (let i = 0; i < scores.length; i++) scores[i] = Math.min(Math.abs(weights[i]!), most);
        else if (norm === 'l2')
          for (let i = 0; i < scores.length; i++) scores[i] = Math.min(weights[i]! * weights[i]!, most);
        else for (let i = 0; i < scores.length; i++) scores[i] = Math.min(Math.abs(weights[i]!) ** p, most);
        return scores;
      },
    };
  },
});
