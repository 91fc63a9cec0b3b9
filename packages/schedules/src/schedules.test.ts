import type { Schedule } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constant, cosine, cubic, cyclical, exponential, linear, oneCycle, oneShot, steps, warmUp } from './index.js';

/** What a schedule says at some steps. */
const at = (schedule: Schedule, ...steps: readonly number[]) => steps.map((step) => schedule(step));

const ramps = { linear, cosine, exponential, cubic, cyclical };

describe('every ramp', () => {
  it.each(Object.entries(ramps))('%s stays between its ends and arrives', (_, ramp) => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.nat(50),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(400),
        (from, to, begin, length, step) => {
          const value = ramp({ from, to, begin, end: begin + length });
          expect(value(step)).toBeGreaterThanOrEqual(Math.min(from, to) - 1e-12);
          expect(value(step)).toBeLessThanOrEqual(Math.max(from, to) + 1e-12);
          expect(value(begin)).toBeCloseTo(from, 12);
          expect(value(begin + length)).toBeCloseTo(to, 12);
          expect(value(begin + length + step)).toBeCloseTo(to, 12);
        },
      ),
    );
  });

  it.each(Object.entries({ linear, cosine, exponential, cubic }))('%s never turns back', (_, ramp) => {
    const value = ramp({ from: 0.1, to: 0.9, end: 100 });
    for (let step = 1; step <= 100; step++) expect(value(step)).toBeGreaterThanOrEqual(value(step - 1));
  });
});

describe('schedules at hand-computed points', () => {
  it('constant, one-shot and linear', () => {
    expect(constant({ value: 3 })(1e9)).toBe(3);
    expect(at(oneShot({ to: 0.5, at: 10 }), 0, 9, 10)).toEqual([0, 0, 0.5]);
    expect(at(linear({ to: 1, end: 10 }), 0, 5, 10)).toEqual([0, 0.5, 1]);
  });

  it('cubic follows Zhu and Gupta: half way it has covered seven eighths', () => {
    expect(cubic({ to: 0.8, end: 100 })(50)).toBeCloseTo(0.7, 12);
    expect(cubic({ from: 0.2, to: 0.8, begin: 10, end: 110 })(60)).toBeCloseTo(0.725, 12);
  });

  it('cosine and exponential half way', () => {
    expect(cosine({ from: 1, to: 0, end: 8 })(4)).toBeCloseTo(0.5, 12);
    expect(exponential({ from: 1, to: 0.01, end: 2 })(1)).toBeCloseTo(0.1, 12);
  });

  it('cyclical starts again and stays at its target', () => {
    const value = cyclical({ to: 0.9, end: 300, cycles: 3, rise: 0.5 });
    expect(at(value, 0, 100, 200)).toEqual([0, 0, 0]);
    expect(at(value, 50, 99, 150, 300, 1000)).toEqual([0.9, 0.9, 0.9, 0.9, 0.9]);
  });

  it('steps, warm-up and one-cycle', () => {
    expect(at(steps({ from: 1, factor: 0.5, at: [10, 20] }), 0, 10, 20)).toEqual([1, 0.5, 0.25]);
    const warm = warmUp({ length: 4, schedule: constant({ value: 1 }) });
    expect(at(warm, 0, 1, 3, 100)).toEqual([0.25, 0.5, 1, 1]);
    const cycle = oneCycle({ peak: 1, end: 100 });
    expect(cycle(0)).toBeCloseTo(0.04, 12);
    expect(cycle(30)).toBeCloseTo(1, 12);
    expect(cycle(100)).toBeCloseTo(0.04 / 10000, 12);
  });

  it('refuses what it cannot follow', () => {
    expect(() => exponential({ from: 1, to: 0, end: 5 })(0)).toThrow(/both `from` and `to` above 0, found 1 and 0/);
    expect(() => steps({ from: 1, at: [5, 3] })).toThrow(/rising numbers of 0 or more, found \[5,3\]/);
  });
});

describe('what is not written', () => {
  const span = { steps: 80, epoch: 20, from: 0.1, to: 0 };

  it('comes from the span: where it begins, where it goes, how long it takes', () => {
    expect(linear()(40, span)).toBeCloseTo(0.05, 12);
    expect(cosine()(80, span)).toBe(0);
    expect(cubic()(40, { ...span, from: 0, to: 0.8 })).toBeCloseTo(0.7, 12);
    expect(constant()(3, span)).toBe(0.1);
    expect(oneCycle()(24, span)).toBeCloseTo(0.1, 12);
    expect(steps({ at: [50] })(60, span)).toBeCloseTo(0.01, 12);
    expect(oneShot({ at: 5 })(5, { ...span, from: 0, to: 0.5 })).toBe(0.5);
    expect(warmUp({ length: 10, schedule: linear() })(4, span)).toBeCloseTo(0.1 * (1 - 4 / 80) * 0.5, 12);
    expect(cyclical({ cycles: 2, rise: 1 })(40, { ...span, from: 0, to: 0.9 })).toBe(0);
  });

  it('gives way to what is written', () => {
    expect(linear({ from: 1, to: 2, end: 10 })(5, span)).toBe(1.5);
    expect(constant({ value: 3 })(5, span)).toBe(3);
  });

  it('may be written in epochs, or in shares of the whole', () => {
    expect(steps({ at: [1, 3], unit: 'epochs' })(20, span)).toBeCloseTo(0.01, 12);
    expect(linear({ begin: 0.5, unit: 'share' })(60, span)).toBeCloseTo(0.05, 12);
    expect(warmUp({ length: 1, unit: 'epochs', schedule: constant() })(9, span)).toBeCloseTo(0.05, 12);
    expect(linear({ end: 2, unit: 'epochs' })(40, span)).toBe(0);
  });

  it('is an error where nobody says it', () => {
    expect(() => linear({ to: 1 })(0)).toThrow(/schedule linear.end: expected a number, found nothing/);
    expect(() => cubic({ end: 1 })(0)).toThrow(/schedule cubic.to/);
    expect(() => constant()(0)).toThrow(/schedule constant.value/);
    expect(() => oneCycle({ end: 5 })(0)).toThrow(/one-cycle.peak/);
    expect(() => steps({ at: [1] })(0)).toThrow(/steps.from/);
    expect(() => steps({ from: 1, at: [1], unit: 'epochs' })(0)).toThrow(/schedule steps.unit: expected steps/);
  });
});
