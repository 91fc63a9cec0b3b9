import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { weightMoments } from './weight-moments.js';

describe('moments of a weight', () => {
  test('are those of small numbers worked by hand', () => {
    expect(weightMoments(new Float32Array([1, 2, 3, 4]))).toEqual({
      count: 4,
      mean: 2.5,
      energy: 30,
      variance: 1.25,
      kurtosis: 1.64, // ((1.5⁴ + 0.5⁴)·2 / 4) / 1.25²
      maxAbs: 4,
      finite: true,
    });
  });

  test('agree with two plain passes, across chunks and far from zero', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9000 }), fc.double({ min: -50, max: 50, noNaN: true }), (count, shift) => {
        const values = Float32Array.from({ length: count }, (_, i) => shift + Math.sin(i * i) * (i % 7));
        const mean = values.reduce((sum, w) => sum + w, 0) / count;
        const central = (power: number) => values.reduce((sum, w) => sum + (w - mean) ** power, 0) / count;
        const found = weightMoments(values);
        expect(found.mean).toBeCloseTo(mean, 9);
        expect(found.variance).toBeCloseTo(central(2), 8);
        if (central(2) > 1e-6) expect(found.kurtosis).toBeCloseTo(central(4) / central(2) ** 2, 5);
      }),
      { numRuns: 40 },
    );
  });

  test('do not divide by a spread that is not there', () => {
    expect(weightMoments(new Float32Array(5000).fill(0.1)).kurtosis).toBe(0);
    expect(weightMoments(new Float32Array())).toMatchObject({ count: 0, variance: 0, kurtosis: 0 });
  });

  test('say when a number is not finite', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(weightMoments(new Float32Array([1, bad, 2])).finite).toBe(false);
    }
  });
});
