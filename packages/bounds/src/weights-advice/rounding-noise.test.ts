import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clippedNoise, countCodes, roundingNoise } from './rounding-noise.js';

const weights = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, noDefaultInfinity: true, min: -4, max: 4 });
const steps = fc.double({ min: 0.01, max: 3, noNaN: true });
const whole = (values: Float32Array) => ({ from: 0, to: values.length });

describe('the noise of rounding', () => {
  test('is that of numbers worked by hand', () => {
    const values = new Float32Array([0.5, 1.75, -9]);
    const noise = clippedNoise(values, whole(values), { step: 1, lowest: -2, highest: 1 });
    expect(noise).toBe(0.25 + 0.5625 + 49);
    expect(roundingNoise(values, whole(values), 1)).toBe(0.25 + 0.0625);
  });

  test('equals a plain loop, whatever the stretch', () => {
    fc.assert(
      fc.property(weights, steps, fc.nat(10), (values, step, skip) => {
        const stretch = { from: Math.min(skip, values.length), to: values.length };
        const part = values.subarray(stretch.from);
        const plain = (low: number, high: number) =>
          part.reduce((sum, w) => sum + (w - step * Math.min(high, Math.max(low, Math.round(w / step)))) ** 2, 0);
        expect(clippedNoise(values, stretch, { step, lowest: -4, highest: 3 })).toBeCloseTo(plain(-4, 3), 8);
        expect(roundingNoise(values, stretch, step)).toBeCloseTo(plain(-1e9, 1e9), 8);
      }),
    );
  });

  test('never exceeds half a step for each number inside the grid', () => {
    fc.assert(
      fc.property(weights, steps, (values, step) => {
        const bound = (values.length * step * step) / 4;
        expect(roundingNoise(values, whole(values), step)).toBeLessThanOrEqual(bound * (1 + 1e-9));
      }),
    );
  });

  test('counts each number under one code', () => {
    const counts = new Uint32Array(4);
    const values = new Float32Array([-9, -1, 0.2, 0.4, 0.6, 9]);
    countCodes(values, whole(values), { step: 1, lowest: -2, highest: 1, counts });
    expect([...counts]).toEqual([1, 1, 2, 2]);
  });
});
