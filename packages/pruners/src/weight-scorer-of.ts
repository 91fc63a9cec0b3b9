import type { Pruner, WeightScorer } from '@espalier/core';
import { onlyUnits } from './errors.js';

/** The part of a pruner that scores single weights. @throws PRUNE_SCORER for one that scores whole units alone. */
export function weightScorerOf(pruner: Pruner): WeightScorer {
  if (!pruner.score) throw onlyUnits();
  return pruner;
}
