import { calibrate } from '@espalier/calibration';
import { buildGraph, createRandom, floats, type Graph, ints, noEvidence, sizeOf } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { inferShapes } from '@espalier/ops';
import { simplify } from '@espalier/passes';
import { dynamicQuantizer, fp16Quantizer, minmax, staticQuantizer, weightsQuantizer } from '@espalier/quantizers';
import { describe, expect, test } from 'vitest';
import { randomFeeds, runOnnx } from '../../../../test/run-onnx.js';
import { magnitude } from '../magnitude.js';
import { channelPruning } from '../prunings/channel.js';

/** Normal elements; those at the first half of an axis a hundred times smaller. */
function drawn(shape: readonly number[], small: number, seed: number) {
  const random = createRandom(seed);
  const inner = sizeOf(shape.slice(small + 1));
  const size = shape[small]!;
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const index = Math.floor(i / inner) % size;
    return random.normal() * (index < size / 2 ? 0.001 : 0.1);
  });
  return floats(values, shape);
}

/** 64 inputs, 128 hidden units of which the first 64 hardly matter, 32 outputs. */
function mlp(): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 64]);
  const hidden = b.add('Relu', [b.add('MatMul', [x, b.constant('w1', drawn([64, 128], 1, 1))], { name: 'fc1' })]);
  b.output(b.add('MatMul', [hidden, b.constant('w2', drawn([128, 32], 0, 2))], { name: 'y' }));
  return inferShapes(b.finish());
}

/** 3 channels, 32 of which the first 16 hardly matter, 16, means over places. */
function convNet(): Graph {
  const b = buildGraph();
  const attributes = { pads: ints([1, 1, 1, 1]), kernel_shape: ints([3, 3]) };
  const x = b.input('x', 'float32', ['batch', 3, 8, 8]);
  const first = b.add('Conv', [x, b.constant('w1', drawn([32, 3, 3, 3], 0, 3))], { name: 'c1', attributes });
  const second = b.add('Conv', [b.add('Relu', [first]), b.constant('w2', drawn([16, 32, 3, 3], 1, 4))], {
    name: 'c2',
    attributes,
  });
  b.output(b.add('ReduceMean', [second], { name: 'y', attributes: { axes: ints([2, 3]) } }));
  return inferShapes(b.finish());
}

async function int8(graph: Graph): Promise<Graph> {
  const executor = createOnnxRuntime({ threads: 1 });
  try {
    const plan = staticQuantizer({ activations: { observer: minmax() } })(graph);
    async function* batches() {
      for (const seed of [1, 2]) yield randomFeeds(graph, { seed });
    }
    const evidence = await calibrate(plan.graph, plan.needs, { executor, batches });
    return plan.apply(evidence).graph;
  } finally {
    await executor.close();
  }
}

const presets: readonly (readonly [string, (graph: Graph) => Graph | Promise<Graph>])[] = [
  ['int8', int8],
  ['int8-dynamic', (graph) => dynamicQuantizer()(graph).apply(noEvidence).graph],
  ['int4-weights', (graph) => weightsQuantizer()(graph).apply(noEvidence).graph],
  ['fp16', (graph) => fp16Quantizer()(graph).apply(noEvidence).graph],
];

describe.each([
  ['an MLP', mlp],
  ['a convolutional network', convNet],
])('%s loses the units whose real weights are small after', (_, make) => {
  test.each(presets)('%s', async (__, quantize) => {
    const graph = simplify(inferShapes(await quantize(simplify(make()))));
    const { graph: small, notes } = channelPruning({ pruner: magnitude(), sparsity: 0.5 })(graph).apply(noEvidence);
    const reasons = notes.map(({ reason }) => reason).join('\n');
    expect(
      notes.some(({ outcome, value }) => outcome === 'pruned' && value !== undefined),
      reasons,
    ).toBe(true);
    const feeds = randomFeeds(graph, { sizes: { batch: 2 } });
    const [before, after] = [await runOnnx(graph, feeds), await runOnnx(small, feeds)];
    const [y, z] = [before.get('y')!, after.get('y')!].map(({ data }) => Array.from(data as Float32Array));
    const largest = Math.max(...y!.map(Math.abs));
    // What is left makes the same outputs, up to grids that are fitted to the activations while running.
    expect(Math.max(...y!.map((value, i) => Math.abs(value - z![i]!))) / largest).toBeLessThan(0.02);
  });
});
