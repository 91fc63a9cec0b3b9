import type { Grid } from '@espalier/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { affineOf } from './affine.js';
import { int4Weights, int8Weights, levelsOf, reducedWeights, storageOf, uint8Activations } from './grid.js';

const grids: fc.Arbitrary<Grid> = fc
  .record({ bits: fc.integer({ min: 2, max: 16 }), signed: fc.boolean(), symmetric: fc.boolean() })
  .map((grid) => grid);
const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) });
const ranges = fc.tuple(finite, finite).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));

test('an asymmetric range gets the scale and zero point of the ONNX formula', () => {
  expect(affineOf({ min: -1, max: 3 }, uint8Activations)).toEqual({ scale: Math.fround(4 / 255), zeroPoint: 64 });
});

test('symmetric int8 weights span -127 to 127 with zero point 0', () => {
  expect(affineOf({ min: -2, max: 1 }, int8Weights)).toEqual({ scale: Math.fround(2 / 127), zeroPoint: 0 });
});

test('symmetric uint8 has its zero point at 128', () => {
  expect(affineOf({ min: -1, max: 1 }, { bits: 8, signed: false, symmetric: true }).zeroPoint).toBe(128);
});

test('a range that misses zero is extended to it', () => {
  expect(affineOf({ min: 2, max: 4 }, uint8Activations)).toEqual({ scale: Math.fround(4 / 255), zeroPoint: 0 });
  expect(affineOf({ min: -4, max: -2 }, uint8Activations).zeroPoint).toBe(255);
});

test('a range of nothing, or one below the smallest normal float, gets scale 1', () => {
  expect(affineOf({ min: 0, max: 0 }, int8Weights)).toEqual({ scale: 1, zeroPoint: 0 });
  expect(affineOf({ min: 0, max: 1e-39 }, uint8Activations)).toEqual({ scale: 1, zeroPoint: 0 });
});

test('ranges with NaN, infinity or the ends swapped are refused', () => {
  const codes = [
    { min: Number.NaN, max: 1 },
    { min: 0, max: Number.POSITIVE_INFINITY },
    { min: 1, max: -1 },
  ].map((range) => {
    try {
      return affineOf(range, uint8Activations).scale;
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
  expect(codes).toEqual(['QUANTIZE_RANGE', 'QUANTIZE_RANGE', 'QUANTIZE_RANGE']);
});

test('zero is always a level of the grid, and both ends lie within one step of it', () => {
  fc.assert(
    fc.property(ranges, grids, (range, grid) => {
      const { low, high } = levelsOf(grid);
      const { scale, zeroPoint } = affineOf(range, grid);
      const slack = scale * 1.001;
      return (
        Number.isInteger(zeroPoint) &&
        zeroPoint >= low &&
        zeroPoint <= high &&
        (low - zeroPoint) * scale <= Math.max(0, range.min + slack) &&
        (high - zeroPoint) * scale >= Math.min(0, range.max - slack)
      );
    }),
  );
});

test('levels and storage are those of the ONNX types', () => {
  expect([int8Weights, reducedWeights, int4Weights, uint8Activations].map(levelsOf)).toEqual([
    { low: -127, high: 127 },
    { low: -64, high: 64 },
    { low: -8, high: 7 },
    { low: 0, high: 255 },
  ]);
  expect([2, 3, 4, 5, 8, 9, 16].map((bits) => storageOf({ bits, signed: bits !== 3, symmetric: false }))).toEqual([
    'int2',
    'uint4',
    'int4',
    'int8',
    'int8',
    'int16',
    'int16',
  ]);
  expect(() => levelsOf({ bits: 1, signed: true, symmetric: true })).toThrow(/2 to 16/);
  expect(() => storageOf({ bits: 17, signed: true, symmetric: true })).toThrow(/2 to 16/);
});
