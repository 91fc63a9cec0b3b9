import { createRandom } from '@espalier/core';
import { cholesky } from '@espalier/ops';
import { describe, expect, it } from 'vitest';
import { randomGram } from '../../../../test/random-gram.js';
import { independentPart } from './independent-part.js';
import { largestDiagonal } from './largest-diagonal.js';

describe('largestDiagonal', () => {
  it('is the whole diagonal where there is nothing else', () => {
    const d = largestDiagonal(Float64Array.of(2, 0, 0, 3), Float64Array.of(1, 1));
    expect(d[0]! + d[1]!).toBeGreaterThan(5 * (1 - 1e-3));
    expect(d[0]!).toBeLessThan(2);
  });

  it('leaves a positive definite rest, and no room for a tenth more', () => {
    for (let seed = 0; seed < 5; seed++) {
      const h = randomGram(createRandom(seed), { size: 12, correlated: 0.8 });
      const d = largestDiagonal(h, new Float64Array(12).fill(1));
      const definite = (share: number) =>
        cholesky(
          h.map((value, at) => (at % 13 === 0 ? value - share * d[at / 13]! : value)),
          12,
          new Float64Array(144),
        );
      expect([definite(1), definite(1.1)]).toEqual([true, false]);
    }
  });
});

describe('independentPart', () => {
  it('gives a definite matrix back as it is', () => {
    const h = randomGram(createRandom(1), { size: 4, correlated: 0.5 });
    expect(independentPart(h, 4).matrix).toBe(h);
  });

  it('frees what a null vector touches, and what goes with it', () => {
    // Inputs 0 and 2 say the same; with their weights free, 5 - 2²/2 = 3 is left of input 1.
    const h = Float64Array.of(2, 2, 2, 2, 5, 2, 2, 2, 2);
    const { kept, matrix } = independentPart(h, 3);
    expect([...kept]).toEqual([1]);
    expect(matrix[0]).toBeCloseTo(3, 12);
  });
});
