import {
  type AnyPlugin,
  fromNumbers,
  type Graph,
  isFloat,
  type PruneTarget,
  sizeOf,
  toFloats,
  type WeightScorer,
} from '@espalier/core';
import { isRefusal, layerOf } from '@espalier/ops';
import { fingerprint } from './graph-fingerprint.js';
import { type Check, type Kit, must } from './kit.js';
import { build, pluginChecks } from './plugin-checks.js';
import type { PrunerUnderTest } from './pruner-under-test.js';
import { sampleGraphs } from './sample-graphs.js';
import { syntheticEvidence } from './synthetic-evidence.js';
import { unitScoreChecks } from './unit-score-checks.js';

/** The weights that a pruning driver would offer. */
function targetsOf(graph: Graph): readonly PruneTarget[] {
  const seen = new Set<string>();
  return graph.nodes.flatMap((node) => {
    const layer = layerOf(graph, node);
    if (isRefusal(layer) || !['convolution', 'product'].includes(layer.kind)) return [];
    return layer.weights.flatMap(({ value }) => {
      const weight = graph.constants.get(value)!; // weights of layers are constants
      if (!isFloat(weight.dtype) || seen.has(value)) return [];
      seen.add(value);
      return [{ value, weight, node: node.id, op: node.op }];
    });
  });
}

/**
 * The contract of pruners of single weights, whole units or both: score each once, with the same numbers every time,
 * without changing anything.
 */
export function describePruner(plugin: AnyPlugin<'pruner'>, test: PrunerUnderTest = {}): Kit {
  const pruner = build(plugin, test);
  return {
    about: `pruner ${plugin.id}`,
    checks: [
      ...pluginChecks(plugin, test),
      {
        name: 'scores single weights, whole units or both',
        run: () =>
          must(Boolean(pruner.score ?? pruner.units), `pruner ${plugin.id}`, {
            expected: '`score`, `units` or both',
            found: 'neither',
          }),
      },
      ...(pruner.score ? weightChecks(plugin, test) : []),
      ...(pruner.units ? unitScoreChecks(plugin, test) : []),
    ],
  };
}

function weightChecks(plugin: AnyPlugin<'pruner'>, test: PrunerUnderTest): readonly Check[] {
  const where = `pruner ${plugin.id}`;
  const samples = (test.graphs ?? sampleGraphs())
    .map(({ name, graph }) => ({ name, graph, targets: targetsOf(graph) }))
    .filter(({ targets }) => targets.length > 0);
  const scoresOf = (graph: Graph, targets: readonly PruneTarget[]) => {
    const scorer = build(plugin, test) as WeightScorer; // it has a score, as the caller saw
    const evidence = (test.evidence ?? syntheticEvidence)(graph, scorer.needs(graph, targets));
    return new Map(targets.map((target) => [target.value, scorer.score(target, evidence).slice()]));
  };
  return [
    ...samples.flatMap(({ name, graph, targets }) => [
      {
        name: `gives each weight one finite score of at least 0 (${name})`,
        run() {
          for (const [value, scores] of scoresOf(graph, targets)) {
            const size = sizeOf(graph.constants.get(value)?.shape ?? []);
            must(scores.length === size, `${where}, ${value}`, { expected: `${size} scores`, found: scores.length });
            const bad = scores.find((score) => !(score >= 0 && score < Number.POSITIVE_INFINITY));
            must(bad === undefined, `${where}, ${value}`, { expected: 'finite scores of at least 0', found: bad });
          }
        },
      },
      {
        name: `gives the same scores every time, in any order (${name})`,
        run() {
          const forwards = scoresOf(graph, targets);
          const backwards = scoresOf(graph, [...targets].reverse());
          for (const { value } of targets) {
            must(fingerprint(forwards.get(value)) === fingerprint(backwards.get(value)), `${where}, ${value}`, {
              expected: 'scores that depend on the weight and the evidence alone',
              found: 'others in another order',
            });
          }
        },
      },
      {
        name: `does not change the graph or the weights (${name})`,
        run() {
          const before = fingerprint([graph, targets]);
          scoresOf(graph, targets);
          must(fingerprint([graph, targets]) === before, where, {
            expected: 'weights as they were',
            found: 'changed ones',
          });
        },
      },
    ]),
    {
      name: 'reads weights of 16 bits as well',
      run() {
        const { graph, targets } = samples[0]!; // the samples begin with a convolutional network
        for (const target of targets) {
          const weight = fromNumbers('float16', target.weight.shape, toFloats(target.weight));
          const half = { ...graph, constants: new Map(graph.constants).set(target.value, weight) };
          const scores = scoresOf(half, [{ ...target, weight }]).get(target.value);
          must(scores?.length === sizeOf(weight.shape) && scores.every(Number.isFinite), `${where}, ${target.value}`, {
            expected: 'finite scores for float16',
            found: scores?.length,
          });
        }
      },
    },
  ];
}
