import type { UnitScorer } from '@espalier/core';
import type { SampledRows } from './sampled-rows.js';
import { type ContributionPlace, contributionNeeds, unitContributions } from './unit-contributions.js';

/** A scorer of units by rows of contributions. */
export const contributionScorer = (
  place: ContributionPlace,
  combine: (rows: SampledRows) => Float64Array,
): UnitScorer => ({
  ...(place === 'inputs' ? { weightless: true } : {}),
  needs: (_, targets) => contributionNeeds(targets, place),
  score(target, evidence) {
    const rows = unitContributions(target, place, evidence);
    return rows && combine(rows);
  },
});
