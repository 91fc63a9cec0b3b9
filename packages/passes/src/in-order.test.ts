import { createGraph, createNode, type Graph, type Pass } from '@espalier/core';
import { expect, test } from 'vitest';
import { inOrder, untilStable } from './in-order.js';

const graph = createGraph({
  inputs: ['x'],
  outputs: ['y'],
  nodes: [createNode({ id: 'a', op: 'Relu', inputs: ['x'], outputs: ['y'] })],
});
const rename =
  (suffix: string): Pass =>
  (given: Graph) => ({ ...given, name: `${given.name}${suffix}` });

test('passes run from first to last', () => {
  expect(inOrder(rename('-a'), rename('-b'))(graph).name).toBe('graph-a-b');
  expect(inOrder()(graph)).toBe(graph);
});

test('a pass is repeated until it returns its own graph', () => {
  const grow: Pass = (given) => (given.name.length < 9 ? rename('!')(given) : given);
  expect(untilStable(grow)(graph).name).toBe('graph!!!!');
});

test('a pass that never settles is named', () => {
  const restless = rename('?');
  expect(() => untilStable(restless, { name: 'restless', limit: 5 })(graph)).toThrowErrorMatchingInlineSnapshot(
    `[EspalierError: pass "restless": expected a graph that stops changing within 5 rounds, found still a new graph after the last round. A pass must return the very same object when it has nothing to do; two rules may be undoing each other.]`,
  );
});
