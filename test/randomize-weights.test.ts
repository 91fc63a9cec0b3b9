import { createGraph, createNode, floats, scalar } from '@espalier/core';
import { expect, test } from 'vitest';
import { randomizeWeights } from './randomize-weights.js';

const graph = createGraph({
  inputs: ['x'],
  outputs: ['y'],
  constants: new Map([
    ['w', floats(new Float32Array(64 * 27).fill(1), [64, 3, 3, 3])],
    ['scale', floats(new Float32Array(64).fill(1))],
    ['shift', floats(new Float32Array(64).fill(1))],
    ['mean', floats(new Float32Array(64).fill(1))],
    ['variance', floats(new Float32Array(64).fill(-1))],
    ['half', scalar(0.5)],
  ]),
  nodes: [
    createNode({ id: 'conv', op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] }),
    createNode({
      id: 'norm',
      op: 'BatchNormalization',
      inputs: ['c', 'scale', 'shift', 'mean', 'variance'],
      outputs: ['n'],
    }),
    createNode({ id: 'mul', op: 'Mul', inputs: ['n', 'half'], outputs: ['y'] }),
  ],
});
const numbers = (name: string, seed: number) =>
  randomizeWeights(graph, seed).constants.get(name)?.data as Float32Array<ArrayBuffer>;

test('the same seed gives the same weights, another seed others', () => {
  expect(numbers('w', 1)).toEqual(numbers('w', 1));
  expect(numbers('w', 1)).not.toEqual(numbers('w', 2));
});

test('weights have the He variance and batch-norm variances are positive', () => {
  const w = numbers('w', 1);
  const square = w.reduce((sum, each) => sum + each * each, 0) / w.length;
  expect(square / (2 / 27)).toBeGreaterThan(0.9);
  expect(square / (2 / 27)).toBeLessThan(1.1);
  expect(Math.min(...numbers('variance', 1))).toBeGreaterThanOrEqual(0.5);
});

test('single numbers stay what they are', () => {
  expect([...numbers('half', 1)]).toEqual([0.5]);
});
