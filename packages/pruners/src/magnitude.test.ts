import { floats, fromNumbers, noEvidence, type PruneTarget } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { magnitude } from './magnitude.js';
import { randomPruner } from './random-pruner.js';

const target = (values: readonly number[]): PruneTarget => ({
  value: 'w',
  weight: floats(values),
  node: 'n',
  op: 'MatMul',
});

describe('magnitude', () => {
  it('scores squares or absolute values', () => {
    expect([...magnitude().score!(target([-2, 0.5]), noEvidence)]).toEqual([4, 0.25]);
    expect([...magnitude({ norm: 'l1' }).score!(target([-2, 0.5]), noEvidence)]).toEqual([2, 0.5]);
  });

  it('stays finite for the largest weights', () => {
    const scores = magnitude().score!(target([3e38, -1e20, Number.NEGATIVE_INFINITY]), noEvidence);
    expect(scores.every((each) => each === scores[0] && Number.isFinite(each))).toBe(true);
  });

  it('reads any floating dtype', () => {
    const weight = fromNumbers('bfloat16', [2], [-3, 1]);
    expect([...magnitude({ norm: 'l1' }).score!({ ...target([]), weight }, noEvidence)]).toEqual([3, 1]);
  });
});

describe('random', () => {
  it('depends on the seed and the name of the weight alone', () => {
    const scores = (seed: number, value: string) => [
      ...randomPruner({ seed }).score!({ ...target([1, 2, 3]), value }, noEvidence),
    ];
    expect(scores(1, 'a')).toEqual(scores(1, 'a'));
    expect(scores(1, 'a')).not.toEqual(scores(1, 'b'));
    expect(scores(1, 'a')).not.toEqual(scores(2, 'a'));
  });
});
