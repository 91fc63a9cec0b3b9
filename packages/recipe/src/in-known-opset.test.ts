import { createGraph, createNode, floats, type Graph, int, opsetOf, type ValueInfo } from '@espalier/core';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { expect, test } from 'vitest';
import { inKnownOpset } from './in-known-opset.js';

const graphOf = (op: string, opset: number): Graph =>
  createGraph({
    inputs: ['x'],
    outputs: ['y'],
    nodes: [
      createNode({
        id: 'node',
        op,
        inputs: ['x', ...(op === 'Add' ? ['c'] : [])],
        outputs: ['y'],
        attributes: op === 'Add' ? { broadcast: int(1), axis: int(0) } : {},
      }),
    ],
    constants: new Map(op === 'Add' ? [['c', floats([10, 20])]] : []),
    values: new Map<string, ValueInfo>([['x', { dtype: 'float32', shape: [2, 2] }]]),
    opsets: new Map([['', opset]]),
  });

test('old models take the oldest form that passes know, new ones the newest that the runtime loads', () => {
  expect(opsetOf(inKnownOpset(graphOf('Add', 6)))).toBe(7);
  expect(opsetOf(inKnownOpset(graphOf('Relu', 28)))).toBe(26);
  const known = graphOf('Relu', 17);
  expect(inKnownOpset(known)).toBe(known);
});

test('a model that needs its newer opset is kept, and the runtime is named the node that does', async () => {
  const graph = graphOf('SwiGLU', 28);
  expect(inKnownOpset(graph)).toBe(graph);
  const executor = createOnnxRuntime({ threads: 1 });
  await expect(executor.open(graph)).rejects.toThrow(/node "node" \(SwiGLU\).*opset 26.*an op of opset 28/);
});

test.each([
  ['Add', 6, [11, 12, 23, 24]],
  ['Relu', 28, [1, 2, 3, 4]],
] as const)('onnxruntime runs %s of opset %i, which it does not load as it is', async (op, opset, expected) => {
  const executor = createOnnxRuntime({ threads: 1 });
  const session = await executor.open(graphOf(op, opset));
  const y = (await session.run(new Map([['x', floats([1, 2, 3, 4], [2, 2])]]))).get('y');
  expect(y).toEqual(floats(expected, [2, 2]));
  await executor.close();
});
