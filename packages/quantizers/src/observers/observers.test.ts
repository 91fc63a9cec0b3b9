import { createRandom, type Grid, type Histogram, type Observer, roundHalfEven } from '@espalier/core';
import { expect, test } from 'vitest';
import { affineOf } from '../affine.js';
import { int8Activations, int8Weights, uint8Activations } from '../grid.js';
import { entropy } from './entropy.js';
import { minmax } from './minmax.js';
import { expectedSquaredError, mse } from './mse.js';
import { percentile } from './percentile.js';

function histogramOf(values: ArrayLike<number>, bins = 2048): Histogram {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!);
    max = Math.max(max, values[i]!);
  }
  const counts = new Float64Array(bins);
  for (let i = 0; i < values.length; i++) {
    counts[Math.min(bins - 1, Math.floor(((values[i]! - min) / (max - min)) * bins))]! += 1;
  }
  return { min, max, counts };
}

const seen = (histogram: Histogram) => ({ range: { min: histogram.min, max: histogram.max }, histogram });
const random = createRandom(11);
const sample = (make: (normal: number) => number, outliers: readonly number[] = []) =>
  Float32Array.from([...Array.from({ length: 20000 }, () => make(random.normal())), ...outliers]);

const relu = sample((x) => Math.max(0, x), [40, 41]);
const shifted = sample((x) => x * 0.5 - 2, [30, 31]);
const symmetric = sample((x) => x, [-25, 26]);

function squaredError(values: Float32Array, observer: Observer, grid: Grid): number {
  const { scale, zeroPoint } = affineOf(observer.range(seen(histogramOf(values, observer.bins || 2048)), grid), grid);
  const [low, high] = grid.signed ? [grid.narrow ? -127 : -128, 127] : [0, 255];
  let sum = 0;
  for (const x of values) {
    sum += (x - (Math.max(low, Math.min(high, roundHalfEven(x / scale) + zeroPoint)) - zeroPoint) * scale) ** 2;
  }
  return sum / values.length;
}

test('minmax covers all and asks for no histogram', () => {
  expect(minmax().bins).toBe(0);
  expect(minmax().range({ range: { min: -1, max: 3 } }, uint8Activations)).toEqual({ min: -1, max: 3 });
});

test('percentile cuts half of the rest on each side and interpolates inside the bin', () => {
  const even: Histogram = { min: 0, max: 100, counts: new Float64Array(10).fill(10) };
  const range = percentile({ percentile: 90 }).range(seen(even), uint8Activations);
  expect(range.min).toBeCloseTo(5, 10);
  expect(range.max).toBeCloseTo(95, 10);
});

test('percentile by magnitude for symmetric grids', () => {
  const even: Histogram = { min: -50, max: 100, counts: new Float64Array(15).fill(10) };
  const range = percentile({ percentile: 80 }).range(seen(even), int8Weights);
  expect(range.max).toBeCloseTo(70, 6);
  expect(range.min).toBe(-50);
});

test('percentile 100 is the whole range, and an empty histogram keeps its range', () => {
  const nothing: Histogram = { min: -1, max: 2, counts: new Float64Array(2048) };
  expect(percentile({ percentile: 100 }).range(seen(nothing), uint8Activations)).toEqual({ min: -1, max: 2 });
  for (const observer of [percentile(), mse(), entropy()]) {
    expect(observer.range(seen(nothing), uint8Activations)).toMatchObject({ min: -1, max: 2 });
  }
});

test('the expected error over a histogram is that of the values themselves', () => {
  const histogram = histogramOf(symmetric, 8192);
  for (const range of [
    { min: -25, max: 26 },
    { min: -3, max: 3 },
    { min: -1, max: 5 },
  ]) {
    const expected = expectedSquaredError(histogram, uint8Activations, range);
    const real = squaredError(symmetric, { bins: 0, range: () => range }, uint8Activations);
    expect(expected / real).toBeGreaterThan(0.8);
    expect(expected / real).toBeLessThan(1.25);
  }
});

test.each([
  ['a Relu output', relu, uint8Activations],
  ['a shifted asymmetric output', shifted, uint8Activations],
  ['a shifted asymmetric output on int8', shifted, int8Activations],
  ['a symmetric output on a symmetric grid', symmetric, int8Weights],
] as const)('mse, at a coarse grid, beats minmax where a few values lie far out: %s', (_, values, grid) => {
  const coarse = { ...grid, bits: 4 };
  const at = (observer: Observer) =>
    expectedSquaredError(histogramOf(values), coarse, observer.range(seen(histogramOf(values)), coarse));
  expect(at(mse())).toBeLessThan(at(minmax()) * 0.5);
  expect(squaredError(values, mse(), grid)).toBeLessThanOrEqual(squaredError(values, minmax(), grid) * 1.01);
});

test('entropy keeps the side that holds the values and cuts the empty one', () => {
  const range = entropy().range(seen(histogramOf(shifted)), uint8Activations);
  expect(range.min).toBeLessThan(-3);
  expect(range.max).toBeLessThan(25);
  const positive = entropy().range(seen(histogramOf(relu)), uint8Activations);
  expect(positive.min).toBe(0);
  expect(positive.max).toBeGreaterThan(2.5);
  expect(positive.max).toBeLessThan(30);
});

test('the spike that a Relu leaves at zero does not decide the range', () => {
  const spiked = Float32Array.from(relu, (x, i) => (i % 20 === 0 ? x : x > 30 ? x : 0));
  expect(entropy().range(seen(histogramOf(spiked)), uint8Activations).max).toBeGreaterThan(2);
});

test('clean data keeps nearly its whole range under every observer', () => {
  const uniform = Float32Array.from({ length: 50000 }, () => random.next() * 4 - 1);
  for (const observer of [mse(), entropy(), percentile()]) {
    const range = observer.range(seen(histogramOf(uniform)), uint8Activations);
    expect(range.min).toBeLessThan(-0.93);
    expect(range.max).toBeGreaterThan(2.8);
  }
});

test('above 8 bits entropy covers everything', () => {
  const wide: Grid = { bits: 16, signed: false, symmetric: false };
  const histogram = histogramOf(relu);
  expect(entropy().range(seen(histogram), wide)).toEqual({ min: histogram.min, max: histogram.max });
});
