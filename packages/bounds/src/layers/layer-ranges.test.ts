import { createRandom, createRegistry, definePlugin, instantiate } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { randomGram } from '../../../../test/random-gram.js';
import { chunkSamples } from './chunk-samples.js';
import { builtInRoundings } from './layer-options.js';
import { layerRanges } from './layer-ranges.js';
import { quadraticForm } from './quadratic-form.js';
import { rowGrids } from './row-grids.js';

const layer = (seed: number, { rows = 6, size = 18, correlated = 0.6, heavy = false } = {}) => {
  const random = createRandom(seed);
  const gram = randomGram(random, { size, correlated, rectified: true });
  const draw = () => (heavy ? (random.next() < 0.08 ? 40 * random.normal() : 0.1 * random.normal()) : random.normal());
  return { weight: Float32Array.from({ length: rows * size }, draw), gram };
};

const at = (range: ReturnType<typeof layerRanges>, bits: number) => range.bits.find((each) => each.bits === bits)!;

describe('layerRanges', () => {
  const found = layerRanges(layer(1), { bits: [2, 3, 4, 8], samples: 6, nodes: 4000 });

  it('puts no heuristic above its bound', () => {
    for (const { quantization, pruning } of found.bits) {
      for (const range of [quantization, pruning]) {
        expect(range.heuristicDb).toBeLessThanOrEqual(range.boundDb! + 1e-9);
        expect(range.boundDb).toBeLessThan(100);
        expect(range.proven).toBeGreaterThanOrEqual(0);
        expect(range.proven).toBeLessThanOrEqual(1);
      }
    }
    expect(found).toMatchObject({ rows: 6, size: 18, chunk: 18, chunks: 1, samples: 6 });
  });

  it('finds that normal weights are for quantization from 3 bits on', () => {
    for (const bits of [3, 4, 8]) {
      expect(at(found, bits)).toMatchObject({ verdict: 'quantization', ahead: 'quantization' });
      expect(at(found, bits).verdicts.pruning).toBe(0);
    }
    expect(at(found, 4).sparsity).toBe(0.75);
    // 6 dB a bit, less at few bits
    expect(at(found, 8).quantization.heuristicDb - at(found, 4).quantization.heuristicDb).toBeGreaterThan(18);
  });

  it('finds that a few weights among many small ones are for pruning at 2 bits', () => {
    const range = layerRanges(layer(2, { heavy: true, correlated: 0 }), { bits: [2], samples: 6 });
    expect(at(range, 2)).toMatchObject({ verdict: 'pruning', ahead: 'pruning' });
    expect(at(range, 2).verdicts.pruning).toBeGreaterThan(3);
  });

  it('gives the same answer every time, from float32 and float64 alike', () => {
    const numbers = layer(3);
    const options = { bits: [3], samples: 3, nodes: 200 };
    const first = layerRanges(numbers, options);
    expect(layerRanges({ ...numbers, weight: Float64Array.from(numbers.weight) }, options)).toEqual(first);
  });

  it('does not depend on the scale of weights and inputs', () => {
    const { weight, gram } = layer(4);
    const options = { bits: [2, 5], samples: 3, nodes: 200 };
    const [here, there] = [
      layerRanges({ weight, gram }, options),
      layerRanges({ weight: weight.map((w) => 8 * w), gram: gram.map((g) => g / 1024) }, options),
    ];
    here.bits.forEach(({ quantization, pruning }, i) => {
      expect(there.bits[i]!.quantization.heuristicDb).toBeCloseTo(quantization.heuristicDb, 6);
      expect(there.bits[i]!.quantization.boundDb).toBeCloseTo(quantization.boundDb!, 2);
      expect(there.bits[i]!.pruning.heuristicDb).toBeCloseTo(pruning.heuristicDb, 6);
    });
  });

  it('gives heuristics alone when no bounds are wanted', () => {
    const [range] = layerRanges(layer(5), { bits: [4], bounds: false }).bits;
    expect(range).toMatchObject({ verdict: 'undecided', ahead: 'quantization' });
    expect(range!.quantization.boundDb).toBeUndefined();
    expect(range!.verdicts.undecided).toBeGreaterThan(0);
  });

  it('takes the roundings of a registry by name', () => {
    const zeros = definePlugin({
      kind: 'rounding',
      id: 'exactly-like-nearest',
      about: 'Rounds like nearest, under another name.',
      options: {},
      create: () => builtInRoundings()['nearest']!,
    });
    const registry = createRegistry([]).with('acme', [zeros]);
    const roundings = Object.fromEntries(
      registry.ids('rounding').map((id) => [id, instantiate(registry.find('rounding', id), {})]),
    );
    const [range] = layerRanges(layer(6), { bits: [8], bounds: false, roundings }).bits;
    expect(range!.quantization.method).toBe('acme/exactly-like-nearest');
    expect(() =>
      layerRanges(layer(6), { bits: [2], roundings: { wild: ({ weight }) => new Int32Array(weight.length).fill(99) } }),
    ).toThrow('rounding "wild": expected codes from -2 to 1, found 99');
    expect(() => layerRanges(layer(6), { roundings: { short: () => new Int32Array(1) } })).toThrow('18 codes, found 1');
  });

  it('measures on whole chunks what the codes do to the outputs', () => {
    const { weight, gram } = layer(7, { rows: 1 });
    const [range] = layerRanges(
      { weight, gram },
      { bits: [4], bounds: false, roundings: { nearest: builtInRoundings()['nearest']! } },
    ).bits;
    const real = Float64Array.from(weight);
    const { step } = rowGrids(real, 1, { bits: 4, form: 'full', granularity: 'tensor' })[0]!;
    const error = real.map((w) => Math.min(7, Math.max(-8, Math.round(w / step))) * step - w);
    const db = 10 * Math.log10(quadraticForm(gram, real) / quadraticForm(gram, error));
    expect(range!.quantization.heuristicDb).toBeCloseTo(db, 9);
  });

  it('takes layers with inputs that are always 0, and layers of zeros', () => {
    const { weight, gram } = layer(8);
    const dead = gram.map((value, i) => (i % 18 < 3 || i < 54 ? 0 : value));
    const [range] = layerRanges({ weight, gram: dead }, { bits: [2], samples: 3, nodes: 100 }).bits;
    expect(range!.pruning.boundDb).toBeGreaterThan(range!.pruning.heuristicDb - 1e-9);
    const [nothing] = layerRanges({ weight: new Float32Array(36), gram }, { bits: [2] }).bits;
    expect(nothing).toMatchObject({ verdict: 'undecided', quantization: { heuristicDb: 300 } });
  });

  it('says what is wrong with its numbers and options', () => {
    const good = layer(9);
    const wrong: readonly (() => unknown)[] = [
      () => layerRanges({ ...good, gram: good.gram.slice(1) }),
      () => layerRanges({ ...good, weight: good.weight.slice(1) }),
      () => layerRanges({ ...good, weight: good.weight.map(() => Number.NaN) }),
      () => layerRanges({ ...good, gram: good.gram.map(() => Number.NaN) }),
      () => layerRanges({ ...good, kernel: 5 }),
      () => layerRanges(good, { bits: [1] }),
      () => layerRanges(good, { chunk: 0 }),
      () => layerRanges(good, { gap: 1 }),
      () => layerRanges(good, { roundings: {} }),
    ];
    expect(
      wrong
        .map((each) => {
          try {
            each();
            return 'no error';
          } catch (error) {
            return `${(error as { code: string }).code} | ${(error as Error).message}`;
          }
        })
        .join('\n'),
    ).toMatchInlineSnapshot(`
      "LAYER_NUMBERS | layer, gram: expected a square matrix of at least one column, found 323 numbers. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_NUMBERS | layer, weight: expected rows of 18 numbers, as gram has, found 107 numbers. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_NUMBERS | layer, weight: expected finite numbers, found NaN. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_NUMBERS | layer, gram: expected finite numbers, found NaN. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_NUMBERS | layer, kernel: expected a divisor of 18, found 5. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      OPTION_INVALID | option "bits": expected whole numbers from 2 to 15, found 1.
      OPTION_INVALID | option "chunk": expected a whole number of 1 or more, found 0.
      OPTION_INVALID | option "gap": expected a share from 0 up to 1, found 1.
      OPTION_INVALID | option "roundings": expected at least one algorithm, found none."
    `);
  });
});

describe('chunkSamples', () => {
  it('cuts between channels and spreads samples over chunks and rows', () => {
    const plan = chunkSamples({ rows: 64, size: 576, kernel: 9, most: 36, count: 24 });
    expect([plan.chunk, plan.chunks, plan.samples.length]).toEqual([36, 16, 24]);
    expect(new Set(plan.samples.map(({ start }) => start)).size).toBe(16);
    expect(new Set(plan.samples.map(({ row }) => row)).size).toBeGreaterThan(16);
    for (const { row, start, length } of plan.samples) {
      expect(row).toBeLessThan(64);
      expect(start % 36).toBe(0);
      expect(length).toBe(36);
    }
  });

  it('takes every pair once where there are no more than asked for', () => {
    const { samples, chunk } = chunkSamples({ rows: 3, size: 50, kernel: 5, most: 36, count: 100 });
    expect(chunk).toBe(35);
    expect(samples.map(({ row, start, length }) => `${row} ${start} ${length}`).sort()).toEqual([
      '0 0 35',
      '0 35 15',
      '1 0 35',
      '1 35 15',
      '2 0 35',
      '2 35 15',
    ]);
  });

  it('cuts within a channel that is larger than a chunk', () => {
    expect(chunkSamples({ rows: 1, size: 98, kernel: 49, most: 36, count: 9 })).toMatchObject({ chunk: 36, chunks: 3 });
  });
});

describe('rowGrids', () => {
  const random = createRandom(1);
  const weight = Float64Array.from({ length: 400 }, (_, i) => random.normal() * (i < 200 ? 1 : 0.01) + 0.2);
  const errorOf = (grids: ReturnType<typeof rowGrids>) =>
    weight.reduce((sum, w, i) => {
      const { step, lowest, highest } = grids[Math.floor(i / 200)]!;
      return sum + (w - step * Math.min(highest, Math.max(lowest, Math.round(w / step)))) ** 2;
    }, 0);

  it('shares a step under `tensor`, and does better with one for each row', () => {
    const shared = rowGrids(weight, 2, { bits: 4, form: 'full', granularity: 'tensor' });
    const own = rowGrids(weight, 2, { bits: 4, form: 'full', granularity: 'channel' });
    expect(shared[0]).toBe(shared[1]);
    expect(own[0]!.step).not.toBe(own[1]!.step);
    expect(errorOf(own)).toBeLessThan(errorOf(shared));
  });

  it('has the integers that were asked for', () => {
    const ends = (form: 'full' | 'symmetric' | 'asymmetric') => {
      const [grid] = rowGrids(weight, 2, { bits: 3, form, granularity: 'channel' });
      return [grid!.lowest, grid!.highest];
    };
    expect([ends('full'), ends('symmetric')]).toEqual([
      [-4, 3],
      [-3, 3],
    ]);
    const [lowest, highest] = ends('asymmetric') as [number, number];
    expect(highest - lowest).toBe(7);
    expect(rowGrids(new Float64Array(2), 1, { bits: 3, form: 'asymmetric', granularity: 'tensor' })[0]!.step).toBe(1);
  });

  it('covers one-sided weights better when asymmetric', () => {
    const positive = weight.map((w) => Math.abs(w) + 1);
    const of = (form: 'full' | 'asymmetric') => {
      const [{ step, lowest, highest }] = rowGrids(positive, 1, { bits: 4, form, granularity: 'tensor' }) as [
        { step: number; lowest: number; highest: number },
      ];
      return positive.reduce(
        (sum, w) => sum + (w - step * Math.min(highest, Math.max(lowest, Math.round(w / step)))) ** 2,
        0,
      );
    };
    expect(of('asymmetric')).toBeLessThan(0.5 * of('full'));
  });
});
