import { createRandom } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedPruningError } from '../distributions/expected-pruning-error.js';
import { normal } from '../distributions/normal.js';
import { magnitudePruningNoise } from './magnitude-pruning-noise.js';

const weights = fc.float32Array({
  minLength: 1,
  maxLength: 200,
  noNaN: true,
  noDefaultInfinity: true,
  min: -9,
  max: 9,
});

describe('the noise of magnitude pruning', () => {
  test('is the sum of the smallest squares', () => {
    expect(magnitudePruningNoise(new Float32Array([1, -2, 3, 4]), [0.5, 1, 0])).toEqual([5, 0, 30]);
  });

  test('is least among all choices of as many weights, and falls with what is kept', () => {
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(99), (values, keep, seed) => {
        const [noise, less] = magnitudePruningNoise(values, [keep, keep / 2]) as [number, number];
        const removed = values.length - Math.round(keep * values.length);
        const order = createRandom(seed).permutation(values.length).subarray(0, removed);
        const other = order.reduce((sum, i) => sum + values[i]! ** 2, 0);
        expect(noise).toBeLessThanOrEqual(other * (1 + 1e-12) + 1e-12);
        expect(less).toBeGreaterThanOrEqual(noise);
      }),
    );
  });

  test('of a large tensor is binned, within 0.01 dB of sorting, and near the expected one', () => {
    const random = createRandom(3);
    const large = Float32Array.from({ length: 2 ** 17 }, () => random.normal());
    const keeps = [0.125, 0.25, 0.5];
    const squares = Float64Array.from(large, (w) => w * w).sort();
    const found = magnitudePruningNoise(large, keeps);
    keeps.forEach((keep, i) => {
      const exact = squares.subarray(0, Math.round((1 - keep) * large.length)).reduce((sum, square) => sum + square, 0);
      expect(Math.abs(10 * Math.log10(found[i]! / exact))).toBeLessThan(0.01);
      const { total } = expectedPruningError(normal, 1 - keep);
      expect(found[i]! / large.length / total).toBeCloseTo(1, 1.5);
    });
  });
});
