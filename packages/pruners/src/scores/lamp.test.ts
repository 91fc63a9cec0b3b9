import { floats, noEvidence, toFloats } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unitTarget } from '../../test/unit-target.js';
import { lamp } from './lamp.js';

const scores = (weights: readonly number[]) => [
  ...lamp().score!({ value: 'w', weight: floats(weights), node: 'a', op: 'MatMul' }, noEvidence),
];
const unitScores = (rows: readonly (readonly number[])[]) => [...lamp().units!.score(unitTarget(rows), noEvidence)!];

describe('lamp', () => {
  it('gives each weight its share in those that are not smaller', () => {
    expect(scores([2, 1, -2])).toEqual([4 / 8, Math.fround(1 / 9), 1]);
  });

  it('gives each unit its share by squared norms', () => {
    const [a, b, c] = unitScores([
      [3, 0],
      [0, -1],
      [2, 2],
    ]);
    expect([a, b, c]).toEqual([1, 1 / 18, 8 / 17]);
  });

  it('scores zeros 0, a unit alone 1, and equal ones 1/n to 1 in order', () => {
    expect(scores([0, 0])).toEqual([0, 0]);
    expect(unitScores([[0, 0]])).toEqual([0]);
    expect(unitScores([[5]])).toEqual([1]);
    expect(unitScores([[1], [1], [1], [1]])).toEqual([1 / 4, 1 / 3, 1 / 2, 1]);
  });

  it('orders a layer as magnitude does, whatever its scale', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 1e6 }), { minLength: 2, maxLength: 40 }), (sizes) => {
        const own = scores(sizes);
        const order = (list: readonly number[]) => list.map((_, i) => i).sort((a, b) => list[a]! - list[b]! || a - b);
        // Shares are float32, so near ones may become equal, but never change places.
        const sorted = order(sizes).map((i) => own[i]!);
        expect(sorted).toEqual([...sorted].sort((a, b) => a - b));
        const scaled = scores(sizes.map((size) => size / 1024));
        expect(scaled).toEqual(own);
        expect(Math.max(...own)).toBe(1);
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  it('does not change the weights', () => {
    const weight = floats([-1, 2]);
    lamp().score!({ value: 'w', weight, node: 'a', op: 'MatMul' }, noEvidence);
    expect([...toFloats(weight)]).toEqual([-1, 2]);
  });
});
