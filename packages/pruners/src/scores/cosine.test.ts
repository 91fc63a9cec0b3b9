import { noEvidence } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { unitTarget } from '../../test/unit-target.js';
import { cosine } from './cosine.js';

const scores = (rows: readonly (readonly number[])[], against: 'all' | 'larger' = 'all') => [
  ...cosine({ against }).units!.score(unitTarget(rows), noEvidence)!,
];

describe('cosine', () => {
  it('is 1 less the similarity to the most similar other unit', () => {
    expect(
      scores([
        [1, 0],
        [2, 0],
        [0, 1],
      ]),
    ).toEqual([0, 0, 1]);
    const [a, b] = scores([
      [1, 0],
      [1, 1],
    ]);
    expect(a).toBeCloseTo(1 - Math.SQRT1_2, 12);
    expect(b).toBe(a);
    expect(
      scores([
        [1, 0],
        [-3, 0],
      ]),
    ).toEqual([2, 2]);
  });

  it('spares one of each pair of twins against larger units', () => {
    expect(
      scores(
        [
          [1, 0],
          [2, 0],
          [0, 1],
        ],
        'larger',
      ),
    ).toEqual([0, 1, 1]);
    expect(
      scores(
        [
          [1, 3],
          [1, 3],
          [1, 3],
        ],
        'larger',
      ),
    ).toEqual([0, 0, 1]);
  });

  it('scores units of zeros 0 and a unit alone 1', () => {
    expect(
      scores([
        [0, 0],
        [1, 0],
      ]),
    ).toEqual([0, 1]);
    expect(scores([[3, 4]])).toEqual([1]);
    expect(scores([[0]])).toEqual([0]);
  });
});
