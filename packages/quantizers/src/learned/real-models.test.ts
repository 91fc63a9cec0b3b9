import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Graph, noEvidence, type Tensor } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { inferShapes } from '@espalier/ops';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../../../../test/fixtures.js';
import { normals } from '../../test/networks.js';
import { evidenceFor, fusedOps, run } from '../../test/oracle.js';
import { quantizationError } from '../quantization-error.js';
import { integersQuantizer } from './integers.js';
import { learnedQuantizer } from './learned.js';

const folder = modelsFolder();
const draw = normals(21);

const load = (name: string): Graph => inferShapes(decodeOnnx(new Uint8Array(readFileSync(join(folder!, name)))));

const feedsOf = (graph: Graph): ReadonlyMap<string, Tensor> =>
  new Map(
    graph.inputs.map((name) => {
      const shape = graph.values.get(name)!.shape!; // every input has one
      return [name, draw(shape.map((dim) => (typeof dim === 'number' ? dim : 1)))] as const;
    }),
  );

const models = [
  'resnet20-cifar10.onnx',
  'squeezenet_cifar10.onnx',
  'ultraface-version-RFB-320.onnx',
  'yunet_n_320_320.onnx',
  'super_resolution.onnx',
];

describe.skipIf(!folder)('real models (skipped where the folder of models is absent)', () => {
  test.each(models)('%s begins near float, and its file is near what it begins as', async (name) => {
    const graph = load(name);
    const feeds = feedsOf(graph);
    const plan = learnedQuantizer({})(graph);
    const { graph: learned } = plan.apply(await evidenceFor(plan.graph, plan.needs, [feeds]));
    const { graph: file } = integersQuantizer({})(learned).apply(noEvidence);
    expect(file.nodes.some(({ op }) => op.startsWith('espalier::'))).toBe(false);
    const [float, trained, written] = [await run(graph, feeds), await run(learned, feeds), await run(file, feeds)];
    const middle = (a: ReadonlyMap<string, Tensor>, b: ReadonlyMap<string, Tensor>) => {
      const all = [...a].map(([output, value]) => quantizationError(value, b.get(output)!).snrDb).sort((x, y) => x - y);
      return all[all.length >> 1]!;
    };
    expect(middle(float, trained)).toBeGreaterThan(10);
    expect(middle(trained, written)).toBeGreaterThan(25);
  });

  test('all 19 convolutions of ResNet-20 run on integers with 4-bit weights and activations', async () => {
    const graph = load('resnet20-cifar10.onnx');
    const plan = learnedQuantizer({ weights: { bits: 4 }, activations: { bits: 4 } })(graph);
    const { graph: learned } = plan.apply(await evidenceFor(plan.graph, plan.needs, [feedsOf(graph)]));
    const { graph: file } = integersQuantizer({})(learned).apply(noEvidence);
    const ops = await fusedOps(file);
    expect(ops).toMatchObject({ QLinearConv: 19, 'com.microsoft::QGemm': 1, 'com.microsoft::QLinearAdd': 9 });
    expect(ops['Conv']).toBeUndefined();
    expect([...file.constants.values()].filter(({ dtype }) => dtype === 'int4')).toHaveLength(18);
  });
});
