import { type Evidence, type Need, type PruneTarget, toFloats, type WeightScorer } from '@espalier/core';
import { foundEvidence } from './found-evidence.js';

const most = 3.4028234663852886e38; // the largest float32

/** The score of a weight as a function of the weight and the mean of its gradient or squared gradient. */
export interface WeightGradientScore {
  readonly power: 1 | 2;
  of(weight: number, gradient: number): number;
}

/** A scorer of weights by their gradients, element by element. */
export function weightGradients({ power, of }: WeightGradientScore): WeightScorer {
  const need = ({ value }: PruneTarget) => ({ statistic: 'gradient', value, power }) as const satisfies Need;
  return {
    needs: (_, targets) => targets.map(need),
    score(target: PruneTarget, evidence: Evidence) {
      const gradient = foundEvidence(evidence, need(target));
      const weights = toFloats(target.weight);
      const scores = new Float32Array(weights.length);
      for (let i = 0; i < scores.length; i++) scores[i] = Math.min(of(weights[i]!, gradient[i]!), most);
      return scores;
    },
  };
}
