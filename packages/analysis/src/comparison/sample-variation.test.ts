import { floats } from '@espalier/core';
import { expect, it } from 'vitest';
import { createSampleVariation } from './sample-variation.js';

const constantAfter = (...runs: readonly (readonly number[])[]): boolean => {
  const variation = createSampleVariation();
  for (const values of runs) variation.add(floats(Float32Array.from(values), [2, values.length / 2]), 2);
  return variation.constant();
};

it('finds an output that is the same for every sample, within a batch and across batches', () => {
  expect(constantAfter([1, 2, 1, 2])).toBe(true);
  expect(constantAfter([1, 2, 1, 2], [1, 2, 1, 2])).toBe(true);
  expect(constantAfter([1, 2, 1, 3])).toBe(false);
  expect(constantAfter([1e-44, 2, 0, 2])).toBe(true);
  expect(constantAfter([1, 2, 1, 2], [1, 2, 2, 2])).toBe(false);
});

it('says nothing of a single sample', () => {
  const variation = createSampleVariation();
  variation.add(floats(Float32Array.of(1, 2), [2]), 1);
  expect(variation.constant()).toBe(false);
});

it('takes an output without one row for each sample as a whole', () => {
  const variation = createSampleVariation();
  variation.add(floats(Float32Array.of(5, 5, 5), [3]), 2);
  variation.add(floats(Float32Array.of(5, 5, 6), [3]), 2);
  expect(variation.constant()).toBe(false);
});
