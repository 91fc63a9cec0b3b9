import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildGraph, floats, type Graph, int, longs, memoryFiles, scalar, tensor } from '@espalier/core';
import { decodeOnnx, writeOnnx } from '@espalier/onnx';
import { afterAll, describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { createOnnxRuntime } from './create-onnx-runtime.js';

const executor = createOnnxRuntime({ backend: 'node', threads: 1 });
afterAll(() => executor.close());

const count = (graph: Graph, op: string) => graph.nodes.filter((node) => node.op === op).length;

/** A MatMul between DequantizeLinear and QuantizeLinear nodes, as quantizers write it. */
const quantized = (): Graph => {
  const b = buildGraph();
  const scale = b.constant('scale', scalar(0.1));
  const zero = b.constant('zero', tensor('uint8', [], new Uint8Array([128])));
  const around = (x: string) => b.add('DequantizeLinear', [b.add('QuantizeLinear', [x, scale, zero]), scale, zero]);
  const codes = b.constant(
    'codes',
    tensor(
      'int8',
      [4, 4],
      Int8Array.from({ length: 16 }, (_, i) => i - 8),
    ),
  );
  const w = b.add('DequantizeLinear', [codes, b.constant('w_scale', scalar(0.01))]);
  const y = b.add('MatMul', [around(b.input('x', 'float32', ['n', 4])), w]);
  b.output(around(y), 'y');
  b.info('y', { dtype: 'float32', shape: ['n', 4] });
  return b.finish();
};

describe('optimized', () => {
  it('shows integer kernels that onnxruntime made of QuantizeLinear and DequantizeLinear', async () => {
    const files = memoryFiles();
    await writeOnnx(quantized(), files, { path: 'm.onnx' });
    const fused = await executor.optimized!({ files, path: 'm.onnx' });
    expect(count(fused, 'QLinearMatMul')).toBe(1);
    expect(count(fused, 'MatMul')).toBe(0);
    expect(fused.inputs).toEqual(['x']);
    expect(fused.outputs).toEqual(['y']);
  });

  it('reads weights that the runtime put beside the model', async () => {
    const b = buildGraph();
    const w = floats(new Float32Array(64 * 64).fill(0.5), [64, 64]);
    const h = b.add('MatMul', [b.input('x', 'float32', ['n', 64]), b.constant('w', w)]);
    b.output(
      b.add('Reshape', [h, b.constant('s', longs([0, 8, 8]))], { name: 'y', attributes: { allowzero: int(0) } }),
    );
    b.info('y', { dtype: 'float32', shape: ['n', 8, 8] });
    const files = memoryFiles();
    await writeOnnx(b.finish(), files, { path: 'm.onnx', externalData: 'always' });
    const found = await executor.optimized!({ files, path: 'm.onnx' });
    expect(found.constants.get('w')).toEqual(w);
  });

  it('is absent where the runtime cannot show it', () => {
    expect(createOnnxRuntime({ backend: 'web' }).optimized).toBeUndefined();
  });

  const models = modelsFolder();
  it.skipIf(!models)('folds the batch norms of ResNet-20 (needs the models folder)', async () => {
    const path = 'resnet20-cifar10.onnx';
    const bytes = new Uint8Array(readFileSync(join(models!, path)));
    const found = await executor.optimized!({ files: memoryFiles(new Map([[path, bytes]])), path });
    expect(count(decodeOnnx(bytes), 'BatchNormalization')).toBeGreaterThan(0);
    expect(count(found, 'BatchNormalization')).toBe(0);
  });
});
