import { type AnyPlugin, fromNumbers, type Graph, sizeOf, type UnitScorer, type UnitTarget } from '@espalier/core';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, must } from './kit.js';
import { build } from './plugin-checks.js';
import type { PrunerUnderTest } from './pruner-under-test.js';
import { sampleGraphs } from './sample-graphs.js';
import { sampleUnits } from './sample-units.js';
import { syntheticEvidence } from './synthetic-evidence.js';

/** The checks of a pruner that scores whole units. */
export function unitScoreChecks(plugin: AnyPlugin<'pruner'>, test: PrunerUnderTest): readonly Check[] {
  const where = `pruner ${plugin.id}`;
  const unitsOf = test.units ?? sampleUnits;
  const samples = (test.graphs ?? sampleGraphs())
    // Created for each check, so that one that is written into is seen.
    .map(({ name, graph }) => ({ name, graph, fresh: () => unitsOf(graph) }))
    .filter(({ fresh }) => fresh().length > 0);
  const scoresOf = (graph: Graph, targets: readonly UnitTarget[]) => {
    const scorer = build(plugin, test).units as UnitScorer; // it has one, as the caller saw
    const evidence = (test.evidence ?? syntheticEvidence)(graph, scorer.needs(graph, targets));
    return new Map(targets.map((target) => [target.group, scorer.score(target, evidence)?.slice()]));
  };
  return samples.flatMap(({ name, graph, fresh }) => [
    {
      name: `gives each unit one finite score of at least 0 (${name})`,
      run() {
        const targets = fresh();
        const scores = scoresOf(graph, targets);
        for (const { group, units } of targets) {
          const own = scores.get(group);
          if (!own) continue; // it cannot judge this group
          must(own.length === units, `${where}, ${group}`, { expected: `${units} scores`, found: own.length });
          const bad = own.find((score) => !(score >= 0 && score < Number.POSITIVE_INFINITY));
          must(bad === undefined, `${where}, ${group}`, { expected: 'finite scores of at least 0', found: bad });
        }
      },
    },
    {
      name: `gives units the same scores every time, in any order (${name})`,
      run() {
        const targets = fresh();
        const forwards = scoresOf(graph, targets);
        const backwards = scoresOf(graph, [...targets].reverse());
        for (const { group } of targets) {
          must(fingerprint(forwards.get(group)) === fingerprint(backwards.get(group)), `${where}, ${group}`, {
            expected: 'scores that depend on the group and the evidence alone',
            found: 'others in another order',
          });
        }
      },
    },
    {
      name: `does not change the graph or the units (${name})`,
      run() {
        const targets = fresh();
        const before = fingerprint([graph, targets]);
        scoresOf(graph, targets);
        must(fingerprint([graph, targets]) === before, where, {
          expected: 'units as they were',
          found: 'changed ones',
        });
      },
    },
    {
      name: `scores a group of one unit, and one whose weights are all zero (${name})`,
      run() {
        const [target] = fresh() as readonly [UnitTarget, ...UnitTarget[]]; // filtered above
        for (const each of [singleUnit(target), withoutWeights(target)]) {
          const scores = scoresOf(graph, [each]).get(each.group);
          const fine = scores?.every((score) => score >= 0 && score < Number.POSITIVE_INFINITY) ?? true;
          must(fine, `${where}, ${each.group}`, { expected: 'finite scores of at least 0', found: scores });
        }
      },
    },
  ]);
}

/** The group with its first unit alone. */
function singleUnit(target: UnitTarget): UnitTarget {
  const first = <P extends { readonly indices: Int32Array; readonly each: number }>(place: P): P => ({
    ...place,
    indices: place.indices.slice(0, place.each),
  });
  const { slices, inputs, activations } = target;
  return {
    ...target,
    units: 1,
    slices: slices.map(first),
    inputs: inputs.map(first),
    activations: activations.map(first),
  };
}

const withoutWeights = (target: UnitTarget): UnitTarget => ({
  ...target,
  slices: target.slices.map((slice) => {
    const { dtype, shape } = slice.weight;
    return { ...slice, weight: fromNumbers(dtype, shape, new Float32Array(sizeOf(shape))) };
  }),
});
