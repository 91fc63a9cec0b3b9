import { buildGraph, createRandom, createRegistry, floats, memoryFiles } from '@espalier/core';
import { randomInputs } from '@espalier/datasets';
import { encodeOnnx, onnxImport } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { afterAll, expect, test } from 'vitest';
import { analyzeModel } from './analyze-model.js';

const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

const bytesOf = (scale: number) => {
  const random = createRandom(2);
  const normal = (shape: readonly [number, number], factor: number) =>
    floats(
      Float32Array.from({ length: shape[0] * shape[1] }, () => factor * random.normal()),
      shape,
    );
  const b = buildGraph();
  const hidden = b.add('MatMul', [b.input('x', 'float32', ['n', 8]), b.constant('w', normal([8, 6], scale))], {
    name: 'h',
  });
  b.output(b.add('MatMul', [b.add('Relu', [hidden]), b.constant('v', normal([6, 4], 1))], { name: 'y' }));
  return encodeOnnx(b.finish());
};

const setUp = async () => {
  const files = memoryFiles();
  await files.write('a.onnx', bytesOf(1));
  await files.write('b.onnx', bytesOf(1.5));
  return { files, executor, registry: createRegistry([onnxImport, randomInputs]), input: 'a.onnx' };
};

test('weights are judged at the widths that are asked for, in the runner that is given', async () => {
  const closed: number[] = [];
  const { sameThread } = await import('@espalier/bounds');
  const report = await analyzeModel({
    ...(await setUp()),
    bits: [4, 8],
    layers: ['w'],
    runner: (weights) => ({ ...sameThread, close: async () => void closed.push(weights) }),
  });
  expect(report.weights.map(({ weight }) => weight)).toEqual(['w']);
  expect(report.options.bits).toEqual([4, 8]);
  expect(closed).toEqual([8 * 6 + 6 * 4]);
  expect([report.layers, report.drift, report.warnings]).toEqual([null, null, []]);
});

test('layers and drift are measured on made samples, with a warning, where no data is given', async () => {
  const request = { ...(await setUp()), bits: [4], bounds: true, against: 'b.onnx' };
  const report = await analyzeModel({ ...request, data: 'random:8' });
  expect(report.layers?.data).toBe('random:8');
  expect(report.drift).toMatchObject({ against: { path: 'b.onnx' }, data: 'random:8' });
  expect(report.warnings).toEqual([]);
  expect((await analyzeModel(request)).warnings[0]).toMatch(/^Layers were run on random numbers \(random:64\)/);
});
