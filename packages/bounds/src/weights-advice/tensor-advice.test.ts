import { createRandom, type Grid } from '@espalier/core';
import { perTensor, weightRanges } from '@espalier/quantizers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normal } from '../distributions/normal.js';
import { pruningOrQuantization } from '../distributions/pruning-crossover.js';
import { uniform } from '../distributions/uniform.js';
import { channelRows } from './channel-rows.js';
import { type AdviceOptions, tensorAdvice } from './tensor-advice.js';

const normals = (channels: number, size: number, seed = 1) => {
  const random = createRandom(seed);
  return { values: Float32Array.from({ length: channels * size }, () => random.normal()), channels, size };
};
const advise = (rows: Parameters<typeof tensorAdvice>[0], options?: AdviceOptions) => tensorAdvice(rows, options)!;

const rowsOf = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }), fc.nat(1000), fc.boolean())
  .map(([channels, size, seed, heavy]) => {
    const rows = normals(channels, size, seed);
    return heavy ? { ...rows, values: rows.values.map((w) => w ** 3) } : rows;
  });

describe('advice for a tensor', () => {
  test('on many normal weights is what the theory of the normal distribution says', () => {
    const { bits, kurtosis } = advise(normals(256, 1024));
    expect(kurtosis).toBeCloseTo(3, 1);
    for (const { bits: width, quantization, pruning, prefer, marginDb } of bits) {
      const { quantizationDb, pruningDb } = pruningOrQuantization(normal, width);
      // Beyond, the error hangs on a dozen weights in the tails.
      if (width < 7) expect(Math.abs(quantization.tensor.mseDb - quantizationDb)).toBeLessThan(0.1);
      expect(Math.abs(pruning.free.snrDb - pruningDb)).toBeLessThan(0.05);
      expect(prefer).toBe('quantize');
      expect(marginDb).toBeCloseTo(quantization.tensor.mseDb - pruning.free.snrDb, 10);
    }
    // P(|W| <= δ/2) at the best step, bounds of the normal distribution.
    expect(bits.map(({ quantization }) => quantization.tensor.zeros.toFixed(2))).toEqual([
      '0.40',
      '0.24',
      '0.13',
      '0.08',
      '0.04',
      '0.02',
      '0.01',
    ]);
  });

  test('on evenly spread weights is what the theory of the uniform distribution says', () => {
    const values = Float32Array.from({ length: 2 ** 18 }, (_, i) => (2 * i + 1) / 2 ** 18 - 1);
    for (const { bits, quantization, pruning } of advise({ values, channels: 1, size: 2 ** 18 }).bits) {
      const { quantizationDb, pruningDb } = pruningOrQuantization(uniform(1), bits);
      expect(Math.abs(quantization.tensor.mseDb - quantizationDb)).toBeLessThan(0.01);
      expect(Math.abs(pruning.free.snrDb - pruningDb)).toBeLessThan(0.01);
    }
  });

  test('prefers pruning where a few weights hold all the energy', () => {
    const random = createRandom(2);
    const values = Float32Array.from({ length: 4096 }, (_, i) => (i % 64 === 0 ? 10 : 0.05) * random.normal());
    const [two] = advise({ values, channels: 64, size: 64 }).bits;
    expect(two!.prefer).toBe('prune');
    expect(two!.marginDb).toBeGreaterThan(3);
  });

  test('finds ranges at least as good as the search of the quantizers, for the same grid', () => {
    const grid: Grid = { bits: 4, signed: true, symmetric: true, narrow: true };
    for (const seed of [1, 2, 3]) {
      const rows = normals(16, 64, seed);
      const shape = [16, 64];
      const [range] = weightRanges(rows.values, shape, { grid, granularity: perTensor, clip: 'mse' })!;
      const limit = Math.max(-range!.min, range!.max);
      const step = limit / 7;
      let [signal, noise] = [0, 0];
      for (const w of rows.values) {
        signal += w * w;
        noise += (w - step * Math.min(7, Math.max(-7, Math.round(w / step)))) ** 2;
      }
      const { quantization } = advise(rows, { bits: [4], form: 'symmetric' }).bits[0]!;
      expect(quantization.tensor.mseDb).toBeGreaterThan(10 * Math.log10(signal / noise) - 0.1);
    }
  });

  test('more bits, finer scales and searched ranges never lose', () => {
    fc.assert(
      fc.property(rowsOf, (rows) => {
        const { bits } = advise(rows, { groupSize: 8 });
        bits.forEach(({ quantization, pruning }, i) => {
          for (const kind of ['tensor', 'channel', 'group'] as const) {
            expect(quantization[kind].mseDb).toBeGreaterThanOrEqual(quantization[kind].minmaxDb - 1e-9);
            expect(quantization[kind].huffmanBits).toBeGreaterThanOrEqual(quantization[kind].entropyBits - 1e-9);
            expect(quantization[kind].entropyBits).toBeLessThanOrEqual(i + 2 + 1e-9);
          }
          expect(pruning.masked.snrDb).toBeLessThanOrEqual(pruning.free.snrDb);
          if (i > 0) expect(pruning.free.snrDb).toBeGreaterThanOrEqual(bits[i - 1]!.pruning.free.snrDb);
        });
      }),
      { numRuns: 60 },
    );
  });

  test('does not depend on scale, sign under a symmetric grid, or the order within a tensor', () => {
    fc.assert(
      fc.property(rowsOf, fc.constantFrom(0.125, 2, 1024), (rows, factor) => {
        const options = { form: 'symmetric', bits: [2, 4] } as const;
        const plain = advise(rows, options);
        const scaled = advise({ ...rows, values: rows.values.map((w) => -w * factor) }, options);
        const turned = advise({ ...rows, values: rows.values.slice().reverse() }, options);
        plain.bits.forEach(({ quantization: { tensor }, pruning }, i) => {
          for (const other of [scaled, turned]) {
            expect(other.bits[i]!.quantization.tensor.mseDb).toBeCloseTo(tensor.mseDb, 6);
            expect(other.bits[i]!.pruning.free.snrDb).toBeCloseTo(pruning.free.snrDb, 6);
          }
        });
      }),
      { numRuns: 40 },
    );
  });

  test('of a tensor of one number is exact, of zeros is defined, of broken numbers is none', () => {
    const one = advise({ values: new Float32Array([0.3]), channels: 1, size: 1 });
    expect(one.bits[2]!.quantization.tensor.mseDb).toBeGreaterThan(250);
    const zero = advise({ values: new Float32Array(12), channels: 3, size: 4 });
    expect(zero).toMatchObject({ zeros: 1, kurtosis: 0, maxAbs: 0 });
    expect(zero.bits[0]).toMatchObject({ prefer: 'quantize', marginDb: 0 });
    expect(zero.bits[0]!.quantization.channel).toMatchObject({ mseDb: 300, zeros: 1, entropyBits: 0, huffmanBits: 1 });
    expect(tensorAdvice({ values: new Float32Array([1, Number.NaN]), channels: 1, size: 2 })).toBeUndefined();
  });

  test('of a large tensor stays near that of all its stretches, though it looks at some', () => {
    const rows = normals(4096, 512);
    for (const [channel, row] of Array.from({ length: 4096 }, (_, i) => [1 + (i % 5), i] as const)) {
      for (let i = row * 512; i < (row + 1) * 512; i++) rows.values[i]! *= channel;
    }
    const whole = advise(rows, { bits: [4] }).bits[0]!;
    const parts = [0, 1, 2, 3].map((part) =>
      advise(
        { values: rows.values.subarray(part * 2 ** 19, (part + 1) * 2 ** 19), channels: 1024, size: 512 },
        { bits: [4] },
      ),
    );
    for (const kind of ['channel', 'group'] as const) {
      const mean = parts.reduce((sum, part) => sum + part.bits[0]!.quantization[kind].mseDb, 0) / 4;
      expect(Math.abs(whole.quantization[kind].mseDb - mean)).toBeLessThan(0.1);
    }
  });

  test('refuses bit widths and groups that it does not know', () => {
    const rows = normals(2, 2);
    for (const bits of [[1], [9], [2.5], []]) expect(() => tensorAdvice(rows, { bits })).toThrow(/"bits"/);
    expect(() => tensorAdvice(rows, { groupSize: 0 })).toThrow(/"groupSize"/);
  });
});

describe('rows of channels', () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => i);

  test('are the very array where channels come first', () => {
    expect(channelRows(values, { shape: [4, 6], axis: 0 })).toEqual({ values, channels: 4, size: 6 });
    expect(channelRows(values, { shape: [4, 6], axis: 0 }).values).toBe(values);
  });

  test('are turned where channels come last or in the middle, or after directions', () => {
    expect(channelRows(values, { shape: [12, 2], axis: 1 }).values.slice(0, 4)).toEqual(new Float32Array([0, 2, 4, 6]));
    const middle = channelRows(values, { shape: [2, 3, 4], axis: 1 });
    expect(middle).toMatchObject({ channels: 3, size: 8 });
    expect(middle.values.slice(0, 8)).toEqual(new Float32Array([0, 1, 2, 3, 12, 13, 14, 15]));
    const directions = channelRows(values, { shape: [2, 3, 4], axis: 1, lead: 1 });
    expect(directions).toMatchObject({ channels: 6, size: 4 });
    expect(directions.values).toBe(values);
  });
});
