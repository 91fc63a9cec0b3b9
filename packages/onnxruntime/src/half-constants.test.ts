import { createGraph, createNode, encodeFloat16s, joinBytes, memoryFiles, tensor } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { expect, test } from 'vitest';
import { createOnnxRuntime } from './create-onnx-runtime.js';

const half = (shape: readonly number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor('float16', shape, encodeFloat16s(Float32Array.from({ length: size }, (_, i) => Math.sin(i))));
};
/** Batch and sequence exchanged before a projection, as batch-first attention of PyTorch is exported. */
const graph = createGraph({
  inputs: ['x'],
  outputs: ['y'],
  values: new Map([
    ['x', { dtype: 'float16' as const, shape: ['N', 'T', 64] }],
    ['y', { dtype: 'float16' as const, shape: ['T', 'N', 192] }],
  ]),
  constants: new Map([['w', half([64, 192])]]),
  nodes: [
    createNode({
      id: 't',
      op: 'Transpose',
      inputs: ['x'],
      outputs: ['h'],
      attributes: { perm: { kind: 'ints', value: [1, 0, 2] } },
    }),
    createNode({ id: 'm', op: 'MatMul', inputs: ['h', 'w'], outputs: ['y'] }),
  ],
});

test('a model that would end the process of onnxruntime 1.30 is loaded and run, as a graph and as a file', async () => {
  const executor = createOnnxRuntime({ threads: 1 });
  const files = memoryFiles(new Map([['m.onnx', joinBytes(encodeOnnx(graph))]]));
  const feeds = new Map([['x', half([2, 3, 64])]]);
  for (const opened of [executor.open(graph), executor.openFile!({ files, path: 'm.onnx', graph })]) {
    const session = await opened;
    expect((await session.run(feeds)).get('y')?.shape).toEqual([3, 2, 192]);
  }
  await executor.close();
});
