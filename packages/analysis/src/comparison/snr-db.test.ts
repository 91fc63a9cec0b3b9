import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createErrorMeter } from './error-meter.js';
import { cosine, errorStats, maxAbs, snrDb } from './snr-db.js';

test('25 of signal over 0.25 of noise are 20 dB', () => {
  expect(snrDb([3, 4], [3, 3.5])).toBeCloseTo(20, 12);
  expect(maxAbs([3, 4], [3, 3.5])).toBe(0.5);
});

test('equal numbers have the highest ratio, which survives JSON', () => {
  expect(snrDb([1, 2], [1, 2])).toBe(300);
  expect(snrDb([0, 0], [0, 0])).toBe(300);
  expect(snrDb([0, 0], [0, 1])).toBe(-300);
  expect(JSON.parse(JSON.stringify(errorStats([1], [1])))).toEqual(errorStats([1], [1]));
});

test('numbers that runtimes may flush to zero are no difference', () => {
  expect(snrDb([1e-44, 1e-40], [0, 2e-40])).toBe(300);
  expect(snrDb([1e-36], [2e-36])).toBe(0);
});

test('a NaN that the reference does not have is the lowest ratio and is counted', () => {
  expect(errorStats([1, 2, 3], [1, Number.NaN, 3])).toMatchObject({
    snrDb: -300,
    nonFinite: 1,
    maxAbs: Number.MAX_VALUE,
  });
  expect(errorStats([1, Number.NEGATIVE_INFINITY], [1, Number.NEGATIVE_INFINITY])).toMatchObject({
    snrDb: 300,
    nonFinite: 0,
  });
});

test('numbers that are not finite on both sides are counted, and are no agreement', () => {
  const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY];
  expect(errorStats([nan, infinity], [nan, infinity])).toMatchObject({ snrDb: -300, nonFinite: 0, undefinedBoth: 2 });
  expect(errorStats([nan, 1], [nan, 1])).toMatchObject({ snrDb: 300, undefinedBoth: 1 });
});

test('orthogonal lists have a cosine of 0 and opposite ones of -1', () => {
  expect(cosine([1, 0], [0, 1])).toBe(0);
  expect(cosine([1, 2], [-2, -4])).toBeCloseTo(-1, 15);
  expect(cosine([0], [0])).toBe(1);
});

test('lists of different length are refused', () => {
  expect(() => snrDb([1], [1, 2])).toThrowError(/COMPARE|expected 1 elements/);
});

test('adding in pieces equals adding at once', () => {
  const list = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(list, fc.nat(39), fc.double({ noNaN: true, min: -1, max: 1 }), (reference, cut, shift) => {
      const other = reference.map((r, i) => r + shift * (i + 1));
      const meter = createErrorMeter();
      meter.add(reference.slice(0, cut), other.slice(0, cut));
      meter.add(reference.slice(cut), other.slice(cut));
      const whole = errorStats(reference, other);
      const parts = meter.read();
      expect(parts.snrDb).toBeCloseTo(whole.snrDb, 6);
      expect(parts.maxAbs).toBe(whole.maxAbs);
      expect(parts.count).toBe(whole.count);
    }),
  );
});

test('scaling both by the same factor keeps the ratio', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1 }),
      fc.constantFrom(0.5, 4, -2),
      (list, factor) => {
        const noisy = list.map((x, i) => x + (i % 3) / 8);
        const scaled = [list, noisy].map((each) => each.map((x) => x * factor));
        expect(snrDb(scaled[0]!, scaled[1]!)).toBeCloseTo(snrDb(list, noisy), 8);
      },
    ),
  );
});
