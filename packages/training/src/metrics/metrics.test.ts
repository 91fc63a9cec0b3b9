import { floats, longs, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { crossEntropyMetric } from './cross-entropy.js';
import { defaultMetrics } from './default-metrics.js';
import { squaredErrorMetric } from './squared-error.js';
import { topOne } from './top-one.js';

const labels = (...values: number[]) => tensor('int32', [values.length], Int32Array.from(values));

describe('metrics', () => {
  it('count right answers, of equal scores the first, and none where a score is not a number', () => {
    expect(topOne.sum(floats([1, 3, 2, 0], [2, 2]), labels(1, 1))).toBe(1);
    expect(topOne.sum(floats([1, 1, 1, 1], [2, 2]), labels(0, 1))).toBe(1);
    expect(topOne.sum(floats([Number.NaN, 1], [1, 2]), labels(1))).toBe(0);
  });

  it('measure the cross-entropy of logits, large ones too', () => {
    expect(crossEntropyMetric.sum(floats([0, 0], [1, 2]), longs([1]))).toBeCloseTo(Math.log(2), 12);
    expect(crossEntropyMetric.sum(floats([1000, 0], [1, 2]), labels(1))).toBeCloseTo(1000, 6);
  });

  it('average over the pixels of a segmentation', () => {
    const scores = floats([5, 0, 0, 5], [1, 2, 1, 2]); // class 0 wins at the first pixel, class 1 at the second
    expect(topOne.sum(scores, tensor('int32', [1, 1, 2], Int32Array.of(0, 0)))).toBe(0.5);
  });

  it('measure squared errors per element', () => {
    expect(squaredErrorMetric.sum(floats([1, 3], [1, 2]), floats([0, 1], [1, 2]))).toBe(2.5);
    expect(() => squaredErrorMetric.sum(floats([1, 3], [1, 2]), floats([0], [1, 1]))).toThrow(
      /TARGETS|like the output/,
    );
  });

  it('refuse labels that are no class, and targets that do not fit', () => {
    expect(() => topOne.sum(floats([1, 2], [1, 2]), labels(2))).toThrow(/class indices from 0 to 1, found 2/);
    expect(() => topOne.sum(floats([1, 2], [1, 2]), labels(0, 1))).toThrow(/one class index for each of 1 rows/);
  });

  it('are chosen by what the targets are', () => {
    expect(defaultMetrics('int32').map(({ name }) => name)).toEqual(['top1', 'loss']);
    expect(defaultMetrics('float32')).toEqual([squaredErrorMetric]);
  });
});
