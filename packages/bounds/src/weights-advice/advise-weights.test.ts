import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildGraph, createRandom, floats, fromNumbers, int } from '@espalier/core';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adviceSummary, adviseWeights } from './advise-weights.js';
import { weightTargets } from './weight-targets.js';
import { createWorkerRunner } from './worker-runner.js';

const random = createRandom(4);
const normals = (shape: readonly number[]) =>
  floats(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

function network(broken = false) {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 6]);
  const first = b.add('MatMul', [x, b.constant('w1', normals([6, 8]))], { name: 'a' });
  const biased = b.add('Add', [first, b.constant('bias', normals([8]))], { name: 'b' });
  const second = b.add('Gemm', [biased, b.constant('w2', normals([4, 8]))], {
    name: 'c',
    attributes: { transB: int(1) },
  });
  const codes = b.constant('w3_quantized', fromNumbers('int8', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
  const w3 = b.add('DequantizeLinear', [codes, b.constant('w3_scale', floats([0.5], []))], { name: 'w3' });
  const third = b.add('MatMul', [second, w3], { name: 'd' });
  const w4 = normals([2, 3]);
  if (broken) w4.data[0] = Number.NaN;
  b.output(b.add('MatMul', [third, b.constant('w4', w4)], { name: 'y' }));
  return b.finish();
}

describe('advice for the weights of a graph', () => {
  test('covers every weight of two axes, quantized ones as the numbers they stand for', async () => {
    const { weights, skipped } = await adviseWeights(network());
    expect(skipped).toEqual([]);
    expect(weights.map(({ weight, channels, op }) => [weight, channels, op])).toEqual([
      ['w1', 8, 'MatMul'],
      ['w2', 4, 'Gemm'],
      ['w3_quantized', 4, 'DequantizeLinear'],
      ['w4', 3, 'MatMul'],
    ]);
    expect(weights[2]).toMatchObject({ maxAbs: 4, count: 8 });
    expect(JSON.parse(JSON.stringify(weights))).toEqual(weights);
  });

  test('leaves out a weight with NaN, and says so', async () => {
    const { weights, skipped } = await adviseWeights(network(true));
    expect(weights).toHaveLength(3);
    expect(skipped).toEqual([{ weight: 'w4', reason: 'some of its numbers are NaN or infinite' }]);
  });

  test('judges the chosen ones, and tells how far it is', async () => {
    const shares: number[] = [];
    const { weights } = await adviseWeights(network(), {
      bits: [4],
      choose: ({ weight }) => weight !== 'w2',
      progress: (done) => shares.push(done),
    });
    expect(weights.map(({ weight }) => weight)).toEqual(['w1', 'w3_quantized', 'w4']);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  test('sums up by bit width', async () => {
    const { weights } = await adviseWeights(network());
    const summary = adviceSummary(weights);
    expect(summary.map(({ bits }) => bits)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    for (const { quantize, prune } of summary) expect(quantize + prune).toBe(4);
    expect(adviceSummary([])).toEqual([]);
  });

  test('a weight that stands on the left of a product has its channels in rows', () => {
    const b = buildGraph();
    b.output(b.add('MatMul', [b.constant('w', normals([3, 5])), b.input('x', 'float32', [5, 'n'])], { name: 'y' }));
    expect(weightTargets(b.finish())[0]!.rows()).toMatchObject({ channels: 3, size: 5 });
  });
});

describe('worker threads', () => {
  let folder = '';
  let module: URL;
  beforeAll(async () => {
    // Threads do not read TypeScript: the module is what a program bundled into other files would have.
    folder = await mkdtemp(join(tmpdir(), 'espalier-worker-'));
    const outfile = join(folder, 'worker.mjs');
    const entry = fileURLToPath(new URL('./weight-worker.ts', import.meta.url));
    const conditions = ['@espalier/source'];
    await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', conditions, outfile });
    module = pathToFileURL(outfile);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('say what one thread says, and leave the weights where they were', async () => {
    const graph = network();
    const runner = createWorkerRunner({ threads: 2, module });
    try {
      expect(await adviseWeights(graph, { runner })).toEqual(await adviseWeights(graph));
      expect((graph.constants.get('w1')!.data as Float32Array).length).toBe(48);
    } finally {
      await runner.close();
      await runner.close();
    }
  });

  test('fail with a clear error when they cannot start', async () => {
    const runner = createWorkerRunner({ threads: 1, module: pathToFileURL(join(folder, 'nothing.mjs')) });
    await expect(adviseWeights(network(), { runner })).rejects.toMatchObject({ code: 'ANALYSIS_WORKER' });
    await runner.close();
  });
});
