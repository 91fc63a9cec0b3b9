import { createRandom, floats, type Grid } from '@espalier/core';
import { expect, test } from 'vitest';
import { binaryWeights } from './binary-weights.js';
import { fakeQuantize } from './fake-quantize.js';
import { perBlock, perChannel, perTensor } from './granularity.js';
import { int4Weights } from './grid.js';
import { quantizationError } from './quantization-error.js';
import { scalesOf } from './scales.js';
import { ternaryWeights } from './ternary-weights.js';
import { type WeightClip, weightRanges } from './weight-ranges.js';

const random = createRandom(7);
const heavy = floats(
  Float32Array.from({ length: 512 }, (_, i) => random.normal() * (i % 64 === 0 ? 2 : 1)),
  [8, 64],
);

const errorOf = (clip: WeightClip, grid: Grid, granularity: typeof perTensor | ReturnType<typeof perBlock>) => {
  const ranges = weightRanges(heavy.data, heavy.shape, { grid, granularity, clip })!;
  return quantizationError(heavy, fakeQuantize(heavy, { grid, granularity, scales: scalesOf(ranges, grid) }))
    .meanSquared;
};

test('ranges are those of each group', () => {
  const source = Float32Array.of(1, -2, 3, 4, 5, -6);
  const choice = { grid: int4Weights, clip: 'minmax' as const };
  expect(weightRanges(source, [2, 3], { ...choice, granularity: perTensor })).toEqual([{ min: -6, max: 5 }]);
  expect(weightRanges(source, [2, 3], { ...choice, granularity: perChannel(1) })).toEqual([
    { min: 0, max: 4 },
    { min: -2, max: 5 },
    { min: -6, max: 3 },
  ]);
  expect(weightRanges(source, [2, 3], { ...choice, granularity: perBlock(1, 2) })).toEqual([
    { min: -2, max: 1 },
    { min: 0, max: 3 },
    { min: 0, max: 5 },
    { min: -6, max: 0 },
  ]);
});

test('clipping by squared error beats the whole range where there are outliers', () => {
  for (const granularity of [perTensor, perBlock(1, 32)]) {
    for (const symmetric of [true, false]) {
      const grid = { bits: 4, signed: symmetric, symmetric };
      expect(errorOf('mse', grid, granularity)).toBeLessThan(errorOf('minmax', grid, granularity) * 0.97);
    }
  }
});

test('NaN or infinity among the weights gives no ranges', () => {
  const choice = { grid: int4Weights, granularity: perTensor, clip: 'minmax' as const };
  expect(weightRanges(Float32Array.of(1, Number.NaN), [2], choice)).toBeUndefined();
  expect(weightRanges(Float32Array.of(1, Number.NEGATIVE_INFINITY), [2], choice)).toBeUndefined();
});

test('ternary weights have the threshold and scale of the paper', () => {
  const { codes, scale } = ternaryWeights(floats([1, -1, 0.1, 0]), perTensor);
  expect([...codes.data]).toEqual([1, -1, 0, 0]);
  expect([...scale]).toEqual([1]);
});

test('binary weights have the mean magnitude as their scale, zero counts as positive', () => {
  const { codes, scale } = binaryWeights(floats([0.5, -1.5, 0, -2], [2, 2]), perChannel(0));
  expect([...codes.data]).toEqual([1, -1, 1, -1]);
  expect([...scale]).toEqual([1, 1]);
});

test('the scales of binary and ternary weights have the least squared error for their codes', () => {
  for (const { codes, scale } of [ternaryWeights(heavy, perChannel(0)), binaryWeights(heavy, perChannel(0))]) {
    const error = (factor: number) => {
      let sum = 0;
      for (let i = 0; i < heavy.data.length; i++) {
        sum += (heavy.data[i]! - codes.data[i]! * scale[Math.floor(i / 64)]! * factor) ** 2;
      }
      return sum;
    };
    expect(error(1)).toBeLessThan(error(0.98));
    expect(error(1)).toBeLessThan(error(1.02));
  }
});

test('error measures are those of their formulas', () => {
  const { meanSquared, maxAbsolute, snrDb } = quantizationError(floats([1, 1]), floats([1, 0]));
  expect([meanSquared, maxAbsolute]).toEqual([0.5, 1]);
  expect(snrDb).toBeCloseTo(3.0103, 4);
  expect(quantizationError(floats([1]), floats([1])).snrDb).toBe(Number.POSITIVE_INFINITY);
  expect(() => quantizationError(floats([1]), floats([1, 2]))).toThrow(/1 elements/);
});
