import { createGraph, createNode } from '@espalier/core';
import { expect, it } from 'vitest';
import { proposeSizes } from './propose-sizes.js';

const open = (name: string, kind: 'batch' | 'sequence' | 'image') => ({ name, kind });
const firstOf = (count: number, sizes: Iterable<ReadonlyMap<string, number>>) =>
  [...sizes].slice(0, count).map((each) => Object.fromEntries(each));

it('tries short texts beside every size of image, and one token only where there is a cache', () => {
  const proposals = firstOf(
    12,
    proposeSizes([open('N', 'batch'), open('length', 'sequence'), open('height', 'image')]),
  );
  expect(proposals[0]).toEqual({ N: 1, length: 64, height: 64 });
  expect(proposals).toContainEqual({ N: 1, length: 16, height: 64 });
  expect(proposals).toContainEqual({ N: 1, length: 64, height: 224 });
  expect(proposals.every(({ length }) => length !== 1)).toBe(true);
});

it('tries a length that shapes of values have, which a trace fixed, and no batch that takes gigabytes', () => {
  const graph = createGraph({
    inputs: ['x'],
    outputs: ['y'],
    values: new Map([
      ['x', { dtype: 'float32' as const, shape: ['N', 'length'] }],
      ['y', { dtype: 'float32' as const, shape: ['N', 12] }],
    ]),
    nodes: [createNode({ id: 'r', op: 'Relu', inputs: ['x'], outputs: ['y'] })],
  });
  const sizes = [open('N', 'batch'), open('length', 'sequence')];
  expect(firstOf(8, proposeSizes(sizes, graph))).toContainEqual({ N: 1, length: 12 });
  const all = firstOf(200, proposeSizes(sizes, graph)) as { N: number; length: number }[];
  expect(all.some(({ N }) => N > 1)).toBe(true);
  expect(all.every(({ N, length }) => N === 1 || N * length <= 8192)).toBe(true);
});
