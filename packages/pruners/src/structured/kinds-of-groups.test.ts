import { buildGraph, floats, type Graph } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { expect, it } from 'vitest';
import { coupled } from './coupled.js';
import { kindsOfGroups } from './kinds-of-groups.js';

/** Dense layers, with a residual sum over the second and third. */
function dense(): Graph {
  const b = buildGraph();
  const ones = (name: string, ...shape: [number, number]) =>
    b.constant(name, floats(new Float32Array(shape[0] * shape[1]).fill(1), shape));
  const layer = (x: string, name: string, ...shape: [number, number]) =>
    b.add('Relu', [b.add('MatMul', [x, ones(name, ...shape)])]);
  const first = layer(b.input('x', 'float32', ['n', 3]), 'first', 3, 4);
  const second = layer(first, 'second', 4, 8);
  const third = layer(second, 'third', 8, 6);
  const sum = b.add('Add', [layer(third, 'fourth', 6, 6), third]);
  b.output(b.add('MatMul', [sum, ones('last', 6, 2)]));
  return inferShapes(b.finish());
}

it('groups of the same structure have the same kind, whatever their widths', () => {
  const graph = dense();
  const kinds = kindsOfGroups(graph, coupled(graph).groups);
  const kind = (id: string) => [...kinds].find(([group]) => group.id === id)![1];
  expect(kind('first/1')).toBe('produces 1/2 1 MatMul.1; sums 0/2 1 MatMul.1');
  expect(kind('second/1')).toBe(kind('first/1'));
  expect(kind('third/1')).not.toBe(kind('first/1'));
});
