import type { Contributions, Evidence, Need, UnitTarget } from '@espalier/core';
import { foundEvidence } from './found-evidence.js';
import type { SampledRows } from './sampled-rows.js';

/** Where the contributions of a unit are taken: at its weights, or where layers read it. */
export type ContributionPlace = 'weights' | 'inputs';

/** The statistics that calibration must collect for `unitContributions`. */
export const contributionNeeds = (targets: readonly UnitTarget[], place: ContributionPlace): readonly Need[] =>
  targets.flatMap((target) => needsOf(target, place).map(({ need }) => need));

/**
 * Σ x ∂L/∂x over everything that belongs to a unit, row by row ([rows, units], row-major), and the samples of each row.
 * Undefined for a group that has no such place, and for one whose places have rows of different meaning.
 */
export function unitContributions(
  target: UnitTarget,
  place: ContributionPlace,
  evidence: Evidence,
): SampledRows | undefined {
  const { units } = target;
  let all: SampledRows | undefined;
  for (const { need, indices, each } of needsOf(target, place)) {
    const found: Contributions = foundEvidence(evidence, need);
    all ??= { sums: new Float64Array(found.samples.length * units), samples: found.samples };
    if (found.samples.length !== all.samples.length) return undefined; // rows of samples and rows of batches
    for (let row = 0; row < found.samples.length; row++) {
      const [from, to] = [row * found.size, row * units];
      for (let i = 0; i < indices.length; i++) all.sums[to + Math.floor(i / each)]! += found.sums[from + indices[i]!]!;
    }
  }
  return all;
}

function needsOf({ slices, inputs }: UnitTarget, place: ContributionPlace) {
  if (place === 'inputs') {
    return inputs
      .filter(({ axis }) => axis > 0)
      .map(({ node, slot, axis, indices, each }) => ({
        need: { statistic: 'inputContribution', node, slot, axis } as const,
        indices,
        each,
      }));
  }
  return slices
    .filter(({ counts }) => counts)
    .map(({ value, axis, indices, each }) => ({
      need: { statistic: 'weightContribution', value, axis } as const,
      indices,
      each,
    }));
}
