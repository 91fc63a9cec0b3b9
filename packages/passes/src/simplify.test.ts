import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { checkGraph, type Graph } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { randomizeWeights } from '../../../test/randomize-weights.js';
import { largestDifference, randomFeeds, runOnnx } from '../../../test/run-onnx.js';
import { simplify } from './simplify.js';

const folder = modelsFolder();
const where = folder ?? '/nonexistent';
const models = folder ? readdirSync(folder).filter((name) => name.endsWith('.onnx')) : [];
const open = (path: string): Graph => {
  const bytes = readFileSync(path);
  return decodeOnnx(Uint8Array.from(path.endsWith('.gz') ? gunzipSync(bytes) : bytes));
};
const opsOf = (graph: Graph) => new Set(graph.nodes.map(({ op }) => op));

/** Sizes that the models' own names leave open. */
const sizes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'silero_vad_16k_op15.onnx': { batch: 1, sequence: 512 },
};

// Skipped without the folder of real models: they are no part of the repository (set ESPALIER_MODELS).
describe.skipIf(!folder)('real models keep their function', () => {
  test.each(models)('%s', async (name) => {
    const graph = open(`${where}/${name}`);
    const simple = checkGraph(simplify(graph));
    expect(simplify(simple)).toBe(simple);
    const feeds = randomFeeds(graph, { sizes: sizes[name] ?? {} });
    expect(largestDifference(await runOnnx(graph, feeds), await runOnnx(simple, feeds))).toBeLessThan(1e-4);
  });

  test('ResNet-20 loses its shape chains and its batch norms', () => {
    const ops = opsOf(simplify(open(`${where}/resnet20-cifar10.onnx`)));
    for (const op of ['Shape', 'Gather', 'Concat', 'Cast', 'Constant', 'BatchNormalization', 'Identity']) {
      expect(ops).not.toContain(op);
    }
    expect([...ops].sort()).toMatchInlineSnapshot(`
      [
        "Add",
        "Conv",
        "Gemm",
        "GlobalAveragePool",
        "Pad",
        "Relu",
        "Reshape",
        "Slice",
      ]
    `);
  });
});

const topologies = ['mobilenet_v2', 'shufflenet_v2_x0_5', 'regnet_y_400mf'];
// Skipped where the archive of topologies is missing; bench/topologies.ts runs all twenty.
describe.skipIf(!existsSync(`${where}/topologies`))('networks with seeded weights keep their function', () => {
  test.each(topologies)('%s', async (name) => {
    const graph = randomizeWeights(open(`${where}/topologies/${name}.onnx.gz`), 5);
    const simple = simplify(graph);
    expect(opsOf(simple)).not.toContain('BatchNormalization');
    expect(opsOf(simple)).not.toContain('Shape');
    const feeds = randomFeeds(graph, { sizes: { batch: 1 } });
    expect(largestDifference(await runOnnx(graph, feeds), await runOnnx(simple, feeds))).toBeLessThan(1e-4);
  });
});
