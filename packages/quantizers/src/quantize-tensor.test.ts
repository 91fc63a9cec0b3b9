import { floats, type Grid, toNumbers } from '@espalier/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dequantizeTensor } from './dequantize-tensor.js';
import { fakeQuantize } from './fake-quantize.js';
import { perBlock, perChannel, perTensor, scaleLayout } from './granularity.js';
import { int4Weights, int8Weights, uint8Activations } from './grid.js';
import { quantizationError } from './quantization-error.js';
import { quantizeTensor } from './quantize-tensor.js';
import { scalesOf } from './scales.js';
import { weightRanges } from './weight-ranges.js';

const scales = (scale: readonly number[], zeroPoint: readonly number[] = scale.map(() => 0)) => ({
  scale: Float32Array.from(scale),
  zeroPoint: Int32Array.from(zeroPoint),
});

test('halves round to the even integer and values beyond the grid saturate', () => {
  const how = { grid: int8Weights, granularity: perTensor, scales: scales([1]) };
  const source = floats([0.5, 1.5, 2.5, -0.5, -1.5, -3, 500, -500]);
  expect(toNumbers(quantizeTensor(source, how))).toEqual([0, 2, 2, 0, -2, -3, 127, -127]);
});

test('each channel has the scale of its index along the axis, whichever axis it is', () => {
  const source = floats([1, 2, 3, 4, 5, 6], [2, 3]);
  const grid: Grid = { bits: 8, signed: true, symmetric: true };
  const rows = quantizeTensor(source, { grid, granularity: perChannel(0), scales: scales([1, 0.5]) });
  const columns = quantizeTensor(source, { grid, granularity: perChannel(-1), scales: scales([1, 0.5, 0.25]) });
  expect(toNumbers(rows)).toEqual([1, 2, 3, 8, 10, 12]);
  expect(toNumbers(columns)).toEqual([1, 4, 12, 4, 10, 24]);
});

test('a block has a scale of its own, the last one may be shorter, and int4 shares bytes', () => {
  const source = floats([1, 2, 3, 4, 5, 6], [3, 2]);
  const how = { grid: int4Weights, granularity: perBlock(0, 2), scales: scales([1, 2, 5, 1]) };
  const quantized = quantizeTensor(source, how);
  expect(toNumbers(quantized)).toEqual([1, 1, 3, 2, 1, 6]);
  expect(quantized.data.length).toBe(3);
  expect([...dequantizeTensor(quantized, how).data]).toEqual([1, 2, 3, 4, 5, 6]);
});

test('zero points move the integers and come off again', () => {
  const how = { grid: uint8Activations, granularity: perTensor, scales: scales([0.5], [10]) };
  const source = floats([-5, 0, 2.5]);
  expect(toNumbers(quantizeTensor(source, how))).toEqual([0, 10, 15]);
  expect([...fakeQuantize(source, how).data]).toEqual([-5, 0, 2.5]);
});

test('scales that do not fit the tensor are refused, and so is an axis it does not have', () => {
  const source = floats([1, 2, 3, 4], [2, 2]);
  expect(() => quantizeTensor(source, { grid: int8Weights, granularity: perChannel(0), scales: scales([1]) })).toThrow(
    /2 scales/,
  );
  expect(() => scaleLayout([2, 2], perChannel(2))).toThrow(/axis/);
  expect(() => scaleLayout([2, 2], perBlock(0, 0))).toThrow(/block size/);
});

test('inside the range the rounding error is at most half a step, with every granularity and either clip', () => {
  const granularities = [perTensor, perChannel(0), perChannel(1), perChannel(2), perBlock(1, 2)];
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 24, maxLength: 24 }),
      fc.constantFrom(...granularities),
      fc.record({ bits: fc.integer({ min: 2, max: 12 }), signed: fc.boolean(), symmetric: fc.constant(false) }),
      (values, granularity, grid) => {
        const source = floats(values, [2, 3, 4]);
        const ranges = weightRanges(source.data, source.shape, { grid, granularity, clip: 'minmax' })!;
        const found = scalesOf(ranges, grid);
        const widest = Math.max(...found.scale);
        const { maxAbsolute } = quantizationError(source, fakeQuantize(source, { grid, granularity, scales: found }));
        // The zero point is rounded, so an end may lie half a step outside.
        return maxAbsolute <= widest * 1.001;
      },
    ),
  );
});

test('another bit halves the bound on the error', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: -8, max: 8 }), { minLength: 4, maxLength: 40 }),
      fc.integer({ min: 3, max: 11 }),
      (values, bits) => {
        const source = floats(values);
        const at = (width: number) => {
          const grid: Grid = { bits: width, signed: true, symmetric: true, narrow: true };
          const choice = { grid, granularity: perTensor, clip: 'minmax' as const };
          const found = scalesOf(weightRanges(source.data, source.shape, choice)!, grid);
          return {
            step: found.scale[0]!,
            error: quantizationError(source, fakeQuantize(source, { grid, granularity: perTensor, scales: found }))
              .maxAbsolute,
          };
        };
        const [coarse, fine] = [at(bits), at(bits + 1)];
        const nothing = source.data.every((each) => Math.abs(each) < 1e-30);
        return nothing || (fine.step < coarse.step && fine.error <= (coarse.step / 2) * 1.001);
      },
    ),
  );
});

test('quantizing what came off the grid changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -127, max: 127 }), { minLength: 1, maxLength: 30 }), (codes) => {
      const how = { grid: int8Weights, granularity: perTensor, scales: scales([0.037]) };
      const once = fakeQuantize(floats(codes.map((code) => code * Math.fround(0.037))), how);
      expect(fakeQuantize(once, how)).toEqual(once);
    }),
  );
});
