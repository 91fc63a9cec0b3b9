import {
  type Attribute,
  createGraph,
  createNode,
  floats,
  type Graph,
  int,
  longs,
  type Node,
  scalar,
  type Tensor,
} from '@espalier/core';
import { expect, test } from 'vitest';
import { expectLossless } from '../../../test/expect-lossless.js';
import { mergeDuplicates } from './merge-duplicates.js';

const node = (id: string, op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}) =>
  createNode({ id, op, inputs, outputs: [id], attributes });
const graphOf = (nodes: readonly Node[], constants: Graph['constants'] = new Map()): Graph =>
  createGraph({
    inputs: ['x'],
    outputs: [nodes.at(-1)!.id],
    nodes,
    constants,
    values: new Map([['x', { dtype: 'float32', shape: [2, 3] }]]),
  });

test('equal nodes become one, and so do nodes that become equal', async () => {
  const graph = graphOf([
    node('a', 'Softmax', ['x'], { axis: int(1) }),
    node('b', 'Softmax', ['x'], { axis: int(1) }),
    node('c', 'Softmax', ['x'], { axis: int(0) }),
    node('d', 'Neg', ['a']),
    node('e', 'Neg', ['b']),
    node('f', 'Sum', ['c', 'd', 'e']),
  ]);
  const result = await expectLossless(mergeDuplicates, graph);
  expect(result.nodes.map(({ id, inputs }) => `${id}(${inputs})`)).toEqual(['a(x)', 'c(x)', 'd(a)', 'f(c,d,d)']);
});

test('shape-like constants and single numbers are shared, weights are not', async () => {
  const graph = graphOf(
    [
      node('a', 'Reshape', ['x', 's1']),
      node('b', 'Reshape', ['a', 's2']),
      node('c', 'Mul', ['b', 'w1']),
      node('d', 'Mul', ['c', 'w2']),
      node('e', 'Add', ['d', 'k1']),
      node('f', 'Sub', ['e', 'k2']),
    ],
    new Map<string, Tensor>([
      ['s1', longs([3, 2])],
      ['s2', longs([3, 2])],
      ['w1', floats([1, 2])],
      ['w2', floats([1, 2])],
      ['k1', scalar(0.5)],
      ['k2', scalar(0.5)],
    ]),
  );
  const result = await expectLossless(mergeDuplicates, graph);
  expect([...result.constants.keys()]).toEqual(['s1', 'w1', 'w2', 'k1']);
});

test('random and unknown ops and graph outputs stay apart', () => {
  const random = graphOf([
    node('a', 'RandomNormalLike', ['x']),
    node('b', 'RandomNormalLike', ['x']),
    node('c', 'Add', ['a', 'b']),
  ]);
  expect(mergeDuplicates(random)).toBe(random);
  const strange = graphOf([node('a', 'acme::F', ['x']), node('b', 'acme::F', ['x']), node('c', 'Add', ['a', 'b'])]);
  expect(mergeDuplicates(strange)).toBe(strange);
  const outputs = { ...graphOf([node('a', 'Neg', ['x']), node('b', 'Neg', ['x'])]), outputs: ['a', 'b'] };
  expect(mergeDuplicates(outputs)).toBe(outputs);
});

test('codes of weights and their zero points stay apart even when equal', () => {
  const zeros = (): Tensor => ({ dtype: 'int8', shape: [2], data: new Int8Array(2) });
  const sums = (): Tensor => ({ dtype: 'int32', shape: [2], data: new Int32Array(2) });
  const constants = new Map<string, Tensor>([
    ['za', zeros()],
    ['zb', zeros()],
    ['ba', sums()],
    ['bb', sums()],
    ['s', scalar(0.5)],
  ]);
  const graph = graphOf(
    [node('a', 'DequantizeLinear', ['ba', 's', 'za']), node('b', 'DequantizeLinear', ['bb', 's', 'zb'])],
    constants,
  );
  expect(mergeDuplicates(graph)).toBe(graph);
});
