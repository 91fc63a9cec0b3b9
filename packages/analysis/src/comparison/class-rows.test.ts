import { expect, test } from 'vitest';
import { type ClassRows, crossEntropyOf, rankOf } from './class-rows.js';

const rows = (values: readonly number[], labels: readonly number[], classes: number): ClassRows => ({
  values,
  labels,
  classes,
  stride: 1,
  start: (row) => row * classes,
});

test('the rank counts the classes before the right one; of equal scores the first wins', () => {
  const scores = rows([1, 3, 2, 2, 2, 2], [0, 2], 3);
  expect([rankOf(scores, 0), rankOf(scores, 1)]).toEqual([2, 2]);
  expect(rankOf(rows([2, 2], [0], 2), 0)).toBe(0);
});

test('a row with NaN has no rank, wherever the NaN stands', () => {
  expect(rankOf(rows([Number.NaN, 1], [1], 2), 0)).toBe(Number.POSITIVE_INFINITY);
  expect(rankOf(rows([Number.NaN, 1], [0], 2), 0)).toBe(Number.POSITIVE_INFINITY);
});

test('the cross-entropy of equal logits is ln 2, and large logits do not overflow', () => {
  expect(crossEntropyOf(rows([0, 0], [1], 2), 0)).toBeCloseTo(Math.LN2, 12);
  expect(crossEntropyOf(rows([1000, 0], [1], 2), 0)).toBeCloseTo(1000, 9);
});
