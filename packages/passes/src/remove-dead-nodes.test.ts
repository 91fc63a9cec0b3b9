import { createGraph, createNode, floats, type Graph, type ValueInfo } from '@espalier/core';
import { expect, test } from 'vitest';
import { expectLossless } from '../../../test/expect-lossless.js';
import { removeDeadNodes } from './remove-dead-nodes.js';

const info: ValueInfo = { dtype: 'float32', shape: [2] };
const relu = (id: string, from: string, to: string) => createNode({ id, op: 'Relu', inputs: [from], outputs: [to] });

test('nodes, constants and types that no output needs go', async () => {
  const graph = createGraph({
    inputs: ['x', 'spare'],
    outputs: ['y'],
    nodes: [relu('a', 'x', 'y'), relu('b', 'w', 'dead'), relu('c', 'dead', 'deader')],
    constants: new Map([['w', floats([1, 2])]]),
    values: new Map([
      ['x', info],
      ['spare', info],
      ['dead', info],
      ['gone', info],
    ]),
  });
  const result = await expectLossless(removeDeadNodes, graph);
  expect(result.nodes.map(({ id }) => id)).toEqual(['a']);
  expect([...result.constants.keys()]).toEqual([]);
  expect([...result.values.keys()]).toEqual(['x', 'spare']);
});

test('what only a subgraph reads is alive', () => {
  const body: Graph = {
    ...createGraph({
      inputs: [],
      outputs: ['o'],
      nodes: [createNode({ id: 'n', op: 'Add', inputs: ['a', 'w'], outputs: ['o'] })],
    }),
    opsets: new Map(),
  };
  const choose = createNode({
    id: 'if',
    op: 'If',
    inputs: ['c'],
    outputs: ['y'],
    attributes: { then_branch: { kind: 'graph', value: body }, else_branch: { kind: 'graph', value: body } },
  });
  const graph = createGraph({
    inputs: ['x', 'c'],
    outputs: ['y'],
    nodes: [relu('a', 'x', 'a'), choose],
    constants: new Map([['w', floats([1, 2])]]),
  });
  expect(removeDeadNodes(graph)).toBe(graph);
});

test('optional outputs are left out, those that mean something are kept', () => {
  const node = (op: string, outputs: readonly string[]) =>
    removeDeadNodes(
      createGraph({
        inputs: ['x'],
        outputs: [outputs[0]!],
        nodes: [createNode({ id: 'n', op, inputs: ['x'], outputs })],
      }),
    ).nodes[0]?.outputs;
  expect(node('Dropout', ['y', 'mask'])).toEqual(['y']);
  expect(node('MaxPool', ['y', 'indices'])).toEqual(['y']);
  expect(node('Split', ['y', 'z'])).toEqual(['y', 'z']);
  expect(node('TopK', ['y', 'i'])).toEqual(['y', 'i']);
  const lstm = createNode({ id: 'n', op: 'LSTM', inputs: ['x'], outputs: ['all', 'last', 'cell'] });
  const graph = createGraph({ inputs: ['x'], outputs: ['last'], nodes: [lstm] });
  expect(removeDeadNodes(graph).nodes[0]?.outputs).toEqual([undefined, 'last']);
});
