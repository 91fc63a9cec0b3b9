import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Graph, isFloat, sizeOf } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { simplify } from '@espalier/passes';
import { describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../../test/fixtures.js';
import { randomizeWeights } from '../../../../test/randomize-weights.js';
import { largestDifference, randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { magnitude } from '../magnitude.js';
import { chooseUnits } from './choose-units.js';
import { costModel } from './cost-model.js';
import { coupled } from './coupled.js';
import { cut } from './cut.js';
import { maskGroups } from './mask-groups.js';
import type { Removals } from './removal.js';
import { scoreUnits } from './score-units.js';

// A sample; bench/pruning.ts does all of them.
const sample: Readonly<Record<string, number>> = {
  'topologies/resnet18.onnx.gz': 0.999,
  'topologies/mobilenet_v2.onnx.gz': 0.999,
  'topologies/shufflenet_v2_x0_5.onnx.gz': 0.999,
  'topologies/squeezenet1_1.onnx.gz': 0.999,
  'topologies/regnet_y_400mf.onnx.gz': 0.999,
  'resnet20-cifar10.onnx': 0.999,
  'ultraface-version-RFB-320.onnx': 0.9, // its anchors are constants of the output
};

const folder = modelsFolder();

function read(path: string): Graph {
  const bytes = readFileSync(path);
  if (!path.endsWith('.gz')) return simplify(decodeOnnx(bytes));
  return randomizeWeights(simplify(decodeOnnx(gunzipSync(bytes))), 1);
}

const weightsOf = (graph: Graph) =>
  [...graph.constants].filter(([, { dtype, shape }]) => isFloat(dtype) && shape.length > 0);

const parametersOf = (graph: Graph) => weightsOf(graph).reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);

const counts = (removals: Removals) => new Map([...removals].map(([id, units]) => [id, units.length]));

describe('real networks', () => {
  for (const [file, share] of Object.entries(sample)) {
    const path = folder && join(folder, file);
    const missing = path === undefined || !existsSync(path);
    it.skipIf(missing)(
      `${file} loses half of its units, and computes what it computes masked${missing ? ' (skipped: no model file)' : ''}`,
      { timeout: 60_000 },
      async () => {
        const graph = read(path!);
        const groups = coupled(graph).groups.filter(
          ({ prunable, changesStatistics }) => prunable && !changesStatistics,
        );
        const touched = new Set(groups.flatMap(({ slices }) => slices.map(({ value }) => value)));
        const within = weightsOf(graph).reduce(
          (sum, [id, { shape }]) => sum + (touched.has(id) ? sizeOf(shape) : 0),
          0,
        );
        expect(within / parametersOf(graph)).toBeGreaterThan(share);
        const scores = scoreUnits(coupled(graph), groups, { pruner: magnitude() });
        const cost = costModel(coupled(graph));
        const feeds = randomFeeds(graph, { sizes: { batch: 1 } });
        for (const scope of ['layer', 'global'] as const) {
          const removals = chooseUnits(scores, cost, { sparsity: 0.5, scope });
          const small = cut(coupled(graph), removals);
          const predicted = cost(counts(removals));
          expect(parametersOf(small)).toBe(predicted.parameters);
          expect(parametersOf(small)).toBeLessThan(0.55 * parametersOf(graph));
          const masked = await runOnnx(maskGroups(coupled(graph), removals), feeds);
          expect(largestDifference(masked, await runOnnx(small, feeds))).toBeLessThan(1e-4);
        }
        const macs = chooseUnits(scores, cost, { goal: 'macs', sparsity: 0.5, scope: 'global', multiple: 1 });
        const left = cost(counts(macs)).macs / cost(new Map()).macs;
        expect(Math.abs(left - 0.5)).toBeLessThan(0.02);
      },
    );
  }
});
