import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constant, cosine, cubic, cyclical, exponential, linear, oneCycle, oneShot, steps, warmUp } from './index.js';

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
    expect([0, 9, 10].map(oneShot({ to: 0.5, at: 10 }))).toEqual([0, 0, 0.5]);
    expect([0, 5, 10].map(linear({ to: 1, end: 10 }))).toEqual([0, 0.5, 1]);
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
    expect([0, 100, 200].map(value)).toEqual([0, 0, 0]);
    expect([50, 99, 150, 300, 1000].map(value)).toEqual([0.9, 0.9, 0.9, 0.9, 0.9]);
  });

  it('steps, warm-up and one-cycle', () => {
    expect([0, 10, 20].map(steps({ from: 1, factor: 0.5, at: [10, 20] }))).toEqual([1, 0.5, 0.25]);
    const warm = warmUp({ length: 4, schedule: constant({ value: 1 }) });
    expect([0, 1, 3, 100].map(warm)).toEqual([0.25, 0.5, 1, 1]);
    const cycle = oneCycle({ peak: 1, end: 100 });
    expect(cycle(0)).toBeCloseTo(0.04, 12);
    expect(cycle(30)).toBeCloseTo(1, 12);
    expect(cycle(100)).toBeCloseTo(0.04 / 10000, 12);
  });

  it('refuses what it cannot follow', () => {
    expect(() => exponential({ from: 1, to: 0, end: 5 })).toThrow(/both `from` and `to` above 0, found 1 and 0/);
    expect(() => steps({ from: 1, at: [5, 3] })).toThrow(/rising whole numbers, found \[5,3\]/);
  });
});
