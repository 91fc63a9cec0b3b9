import { type PruneTarget, type Tensor, toFloats } from '@espalier/core';
import { badScores, badWeight } from './errors.js';

/** The real value of each element, without copying float32 and float64. */
export const elementsOf = (weight: Tensor): ArrayLike<number> =>
  weight.dtype === 'float64' ? weight.data : toFloats(weight);

const largest = 0x7f7fffff; // the bits of the largest finite float32

/**
 * One whole number per element that orders as the scores do: 0 for weights that are zero already, so that they
 * are the first to be counted as pruned, and above it the bits of `score * factor`, which order as the values for
 * floats of at least 0.
 * @throws PRUNE_SCORES when a score is missing, negative or not finite; PRUNE_WEIGHT when the weight itself is NaN.
 */
export function pruningKeys(target: PruneTarget, scores: Float32Array, factor = 1): Uint32Array {
  const elements = elementsOf(target.weight);
  if (scores.length !== elements.length) {
    throw badScores(target.value, { expected: `${elements.length} scores`, found: `${scores.length}` });
  }
  const scaled = new Float32Array(scores.length);
  const keys = new Uint32Array(scaled.buffer);
  for (let i = 0; i < keys.length; i++) {
    const score = scores[i]!;
    if (!(score >= 0 && score < Number.POSITIVE_INFINITY)) {
      if (Number.isNaN(elements[i])) throw badWeight(target.value, i);
      throw badScores(target.value, { expected: 'finite scores of at least 0', found: `${score} at ${i}` });
    }
    scaled[i] = score === 0 ? 0 : score * factor; // a negative zero would sort last
    keys[i] = elements[i] === 0 ? 0 : Math.min(keys[i]!, largest) + 1;
  }
  return keys;
}

/** The factor that gives the scores of a layer an l2 norm of 1; 1 when all are zero. */
export function unitFactor(scores: Float32Array): number {
  let peak = 0;
  for (let i = 0; i < scores.length; i++) peak = Math.max(peak, scores[i]!);
  if (!(peak > 0 && peak < Number.POSITIVE_INFINITY)) return 1;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += (scores[i]! / peak) ** 2;
  return 1 / (peak * Math.sqrt(sum));
}
