import { expect, test } from 'vitest';
import { weightHistogram } from './weight-histogram.js';

test('both are counted over the range of both, the upper end in the last bin', () => {
  expect(weightHistogram([0, 1, 2, 4], { after: [-4, 0, 0, 4], bins: 4 })).toEqual({
    min: -4,
    max: 4,
    before: [0, 0, 2, 2],
    after: [1, 0, 2, 1],
  });
});

test('numbers that are not finite are left out, and nothing else is nothing', () => {
  expect(weightHistogram([Number.NaN, 1], { after: [Number.POSITIVE_INFINITY, 1], bins: 2 })).toMatchObject({
    min: 1,
    max: 1,
    before: [1, 0],
  });
  expect(weightHistogram([Number.NaN], { after: [], bins: 2 })).toBeNull();
});

test('of very many numbers some are counted, in the right shares and over the whole range', () => {
  const many = Float32Array.from({ length: 4_000_000 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  many[5] = 9;
  const found = weightHistogram(many, { after: many, bins: 9 })!;
  const total = found.before.reduce((sum, count) => sum + count);
  expect(found.max).toBe(9);
  expect(total).toBeLessThanOrEqual(2 ** 20);
  expect(found.before[1]! / total).toBeCloseTo(0.25, 3);
});
