import { noEvidence } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unitTarget } from '../../test/unit-target.js';
import { fpgm } from './fpgm.js';

const scores = (rows: readonly (readonly number[])[]) => [...fpgm().units!.score(unitTarget(rows), noEvidence)!];
const row = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 3 });

describe('fpgm', () => {
  it('adds up the distances to all other units', () => {
    expect(scores([[0], [1], [3]])).toEqual([4, 3, 5]);
    expect(
      scores([
        [0, 0],
        [3, 4],
      ]),
    ).toEqual([5, 5]);
  });

  it('scores equal units, and a unit alone, 0', () => {
    const same = [0.1, 0.7, -0.3];
    expect(scores([same, same, same, same, same, same])).toEqual([0, 0, 0, 0, 0, 0]);
    expect(scores([[5, 1]])).toEqual([0]);
  });

  it('equals the plain double loop', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), (rows) => {
        const plain = rows.map((a) => rows.reduce((sum, b) => sum + Math.hypot(...a.map((x, k) => x - b[k]!)), 0));
        for (const [i, score] of scores(rows).entries()) expect(score).toBeCloseTo(plain[i]!, 8);
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('has no scores for single weights', () => {
    expect(fpgm().score).toBeUndefined();
  });
});
