import { buildGraph, floats, type Graph, type Tensor } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, expect, test } from 'vitest';
import { layerErrors } from './layer-errors.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

/** Two layers and an Add; the second weight can be shifted, the second layer renamed, or the last one made wider. */
function net({ shift = 0, second = 'second', width = 2 } = {}): Graph {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['batch', 3]);
  const first = b.add('MatMul', [x, b.constant('w1', floats([1, 2, 0, 1, -1, 0], [3, 2]))], { name: 'first' });
  const w2 = floats(
    Float32Array.from({ length: 2 * width }, (_, i) => 1 + i + shift),
    [2, width],
  );
  const next = b.add('MatMul', [first, b.constant('w2', w2)], { name: second });
  b.output(b.add('Add', [next, b.constant('b', floats([1]))], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: ['batch', width] });
  return b.finish();
}
const batches = [new Map<string, Tensor>([['x', floats([1, 2, 3, -1, 0, 1, 2, 2, 2], [3, 3])]])];

test('the error shows from the layer on where it arises', async () => {
  const { layers, samples, skipped } = await layerErrors(net(), net({ shift: 0.5 }), { executor, batches });
  expect(samples).toBe(3);
  expect(skipped).toEqual([]);
  expect(layers.map(({ value, op }) => [value, op])).toEqual([
    ['first', 'MatMul'],
    ['second', 'MatMul'],
    ['y', 'Add'],
  ]);
  expect(layers[0]?.snrDb).toBe(300);
  // By hand: first = [[-2, 4], [-2, -2], [0, 6]]; second = first · [[1, 2], [3, 4]], shifted by 0.5 · row sums.
  const rows = [
    [-2, 4],
    [-2, -2],
    [0, 6],
  ] as const;
  const signal = rows.flatMap(([p, q]) => [p + 3 * q, 2 * p + 4 * q]).reduce((sum, v) => sum + v * v, 0);
  const noise = rows.reduce((sum, [p, q]) => sum + 2 * (0.5 * (p + q)) ** 2, 0);
  expect(layers[1]?.snrDb).toBeCloseTo(10 * Math.log10(signal / noise), 5);
});

test('values come in groups, with the same figures', async () => {
  const together = await layerErrors(net(), net({ shift: 0.1 }), { executor, batches });
  const progress: number[] = [];
  const apart = await layerErrors(net(), net({ shift: 0.1 }), {
    executor,
    batches,
    groupBytes: 1,
    progress: (done) => progress.push(done),
  });
  expect(apart).toEqual(together);
  expect(progress).toHaveLength(3);
});

test('values that vanished or changed their shape are skipped with the reason', async () => {
  const renamed = await layerErrors(net(), net({ second: 'other' }), { executor, batches });
  expect(renamed.skipped).toEqual([{ value: 'second', reason: 'the changed model does not have it' }]);
  expect(renamed.layers).toHaveLength(2);
  const wider = await layerErrors(net(), net({ width: 3 }), { executor, batches });
  expect(wider.skipped.map(({ value }) => value)).toEqual(['second', 'y']);
});

test('no more samples are run than asked for, and none is an error', async () => {
  expect((await layerErrors(net(), net(), { executor, batches, samples: 2 })).samples).toBe(2);
  await expect(layerErrors(net(), net(), { executor, batches: [] })).rejects.toMatchObject({ code: 'ANALYSIS_EMPTY' });
});

test('a model with a fixed batch is fed that many rows', async () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [3, 3]);
  b.output(
    b.add('ReduceSum', [b.add('MatMul', [x, b.constant('w', floats([1, 1, 1], [3, 1]))], { name: 'm' })], {
      name: 'y',
      attributes: { keepdims: { kind: 'int', value: 1 } },
    }),
  );
  b.info('y', { dtype: 'float32', shape: [1, 1] });
  const graph = b.finish();
  const { layers } = await layerErrors(graph, graph, { executor, batches });
  expect(layers.map(({ value, count }) => [value, count])).toEqual([
    ['m', 3],
    ['y', 1],
  ]);
});
