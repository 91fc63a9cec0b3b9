import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildGraph, type DType, type Executor, floats, type Graph, int, longs, tensor } from '@espalier/core';
import { decodeOnnx } from '@espalier/onnx';
import { afterAll, describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { createOnnxRuntime } from './create-onnx-runtime.js';

const models = modelsFolder();

const affine = (): Graph => {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n', 2]);
  const w = b.constant('w', floats([1, 2, 3, 4], [2, 2]));
  b.output(b.add('Add', [b.add('MatMul', [x, w], { name: 'h' }), b.constant('c', floats([0.5]))], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: ['n', 2] });
  return b.finish();
};

describe.each(['node', 'web'] as const)('onnxruntime, backend %s', (backend) => {
  const executor: Executor = createOnnxRuntime({ backend, threads: 1 });
  afterAll(() => executor.close());

  it('says which runtime it is', async () => {
    expect(await executor.describe()).toMatch(new RegExp(`^onnxruntime-${backend} 1\\.\\d+`));
  });

  it('runs a graph', async () => {
    const session = await executor.open(affine());
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['n', 2] }]);
    expect(session.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['n', 2] }]);
    const results = await session.run(new Map([['x', floats([1, 1, 2, 0], [2, 2])]]));
    expect([...results]).toEqual([['y', floats([4.5, 6.5, 2.5, 4.5], [2, 2])]]);
  });
});
