import { createRandom } from '@espalier/core';
import { nearestCode } from '@espalier/quantizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomGram } from '../../../../test/random-gram.js';
import { sineRow } from '../../../../test/sine-row.js';
import { exactRounding } from './exact-rounding.js';
import { integerBound } from './integer-bound.js';
import type { IntegerProblem } from './integer-problem.js';
import { maximizeBarrier } from './maximize-barrier.js';
import { quadraticForm } from './quadratic-form.js';

// n, b, cond-free facts of the checkable instance: dual bound, exact in the box, exact without, nearest, codes.
const printed = [
  { n: 4, b: 3, bound: 0.224254, exact: 0.225621, free: 0.225621, near: 0.225621, codes: [2, -3, 1, 2] },
  { n: 6, b: 3, bound: 0.414962, exact: 0.489385, free: 0.489385, near: 0.489385, codes: [2, -3, 1, 2, -3, 0] },
  { n: 8, b: 3, bound: 0.62758, exact: 1.117748, free: 1.117748, near: 1.281885, codes: [2, -3, 1, 2, -3, 0, 3, -3] },
  {
    n: 10,
    b: 3,
    bound: 0.591165,
    exact: 1.431212,
    free: 1.301558,
    near: 1.663511,
    codes: [2, -3, 1, 2, -3, 0, 3, -3, -1, 3],
  },
  {
    n: 12,
    b: 3,
    bound: 0.664819,
    exact: 1.954901,
    free: 1.893317,
    near: 2.112471,
    codes: [2, -3, 1, 3, -3, 0, 3, -3, -1, 3, -2, -2],
  },
  { n: 8, b: 2, bound: 3.595341, exact: 3.905048, free: 3.905048, near: 3.905048, codes: [1, -1, 0, 1, -1, 0, 1, -1] },
  { n: 8, b: 4, bound: 0.12458, exact: 0.198648, free: 0.198648, near: 0.198648, codes: [4, -7, 2, 5, -6, 0, 6, -5] },
] as const;

const rowOf = (n: number, b: number): IntegerProblem => {
  const row = sineRow(n);
  const step = Math.max(...row.weight.map(Math.abs)) / (2 ** (b - 1) - 1);
  return { ...row, grid: { step, lowest: -(2 ** (b - 1)), highest: 2 ** (b - 1) - 1 } };
};
const free = ({ grid, ...rest }: IntegerProblem): IntegerProblem => ({
  ...rest,
  grid: { ...grid, lowest: -1000, highest: 1000 },
});
const errorOf = ({ gram, weight, grid }: IntegerProblem, codes: ArrayLike<number>) =>
  quadraticForm(
    gram,
    weight.map((w, i) => grid.step * codes[i]! - w),
  );
const nearestOf = ({ weight, grid }: IntegerProblem) => Int32Array.from(weight, (w) => nearestCode(w, grid));

/** The dual with one cell [f, f + 1] per weight, f = ⌊(w/step)·(1 + tilt)⌋. */
function oneCell({ gram, weight, grid }: IntegerProblem, tilt: number): number {
  const centers = weight.map((w) => (w / grid.step) * (1 + tilt));
  const target = centers.map((c) => c - Math.floor(c));
  const roots = Array.from(target, (_, index) => ({ index, sign: 1, low: 0, high: 1 }) as const);
  return maximizeBarrier({ matrix: gram, target, roots }, 1e-7).value * grid.step ** 2;
}

const randomRow = (seed: number, n: number, { correlated = 0.5, step = 0.5, bits = 3 } = {}): IntegerProblem => {
  const random = createRandom(seed);
  const gram = randomGram(random, { size: n, correlated });
  const weight = Float64Array.from({ length: n }, () => random.normal());
  return { gram, weight, grid: { step, lowest: -(2 ** (bits - 1)), highest: 2 ** (bits - 1) - 1 } };
};
const seeds = fc.integer({ min: 0, max: 1e6 });

describe.each(printed)(
  'the checkable instance of $n weights at $b bits',
  ({ n, b, bound, exact, near, codes, ...of }) => {
    const row = rowOf(n, b);

    it('has the printed dual bound, from one of the two cells of its largest weight', () => {
      // w_1/step is -3 but for float noise, so both cells [-4, -3] and [-3, -2] were possible.
      const [above, below] = [oneCell(row, -1e-13), oneCell(row, 1e-13)];
      expect(Math.min(Math.abs(above - bound), Math.abs(below - bound))).toBeLessThan(2e-6);
      const both = integerBound(row, { box: false }).bound;
      expect(both).toBeGreaterThan(Math.max(above, below) * (1 - 1e-5));
      expect(both).toBeLessThanOrEqual(of.free + 1e-6);
    });

    it('has the printed optimum, with and without the ends of the grid', () => {
      const found = exactRounding(row);
      expect(found.error).toBeCloseTo(exact, 6);
      expect([...found.codes]).toEqual(codes);
      expect(found.exact).toBe(true);
      expect(exactRounding(free(row)).error).toBeCloseTo(of.free, 6);
      expect(errorOf(row, nearestOf(row))).toBeCloseTo(near, 6);
      expect(integerBound(row).bound).toBeLessThanOrEqual(exact + 1e-6);
    });
  },
);

describe('integerBound', () => {
  it('never exceeds the optimum, nor the optimum any rounding', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 9 }), fc.integer({ min: 2, max: 4 }), (seed, n, bits) => {
        const row = randomRow(seed, n, { bits, correlated: (seed % 19) / 10 });
        const exact = exactRounding(row);
        expect(exact.exact).toBe(true);
        expect(integerBound(row).bound).toBeLessThanOrEqual(exact.error * (1 + 1e-9));
        expect(exact.error).toBeLessThanOrEqual(errorOf(row, nearestOf(row)) * (1 + 1e-9));
        const loose = integerBound(row, { precision: 0.1 }).bound;
        expect(loose).toBeLessThanOrEqual(integerBound(row).bound * (1 + 1e-5) + 1e-12);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('gains from the ends of the grid, and loses nothing', () => {
    for (let seed = 0; seed < 10; seed++) {
      const row = randomRow(seed, 12, { bits: 2, step: 0.4 });
      const without = integerBound(row, { box: false }).bound;
      expect(integerBound(row).bound).toBeGreaterThan(without * 1.01);
    }
  });

  it('is exact where the inputs do not depend on each other', () => {
    const row = randomRow(3, 7);
    const gram = row.gram.map((value, at) => (at % 8 === 0 ? value : 0));
    const alone = { ...row, gram };
    expect(integerBound(alone).bound).toBeCloseTo(errorOf(alone, nearestOf(alone)), 4);
  });

  it('does not change when weights move by whole steps', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: -5, max: 5 }), (seed, by) => {
        const row = randomRow(seed, 6);
        const moved = { ...row, weight: row.weight.map((w) => w + by * row.grid.step) };
        const [here, there] = [row, moved].map((each) => integerBound(each, { box: false }).bound);
        expect(there).toBeCloseTo(here!, 4);
      }),
      { numRuns: 20, seed: 2 },
    );
  });

  it('scales with the square of weights and step, and with the inputs', () => {
    const row = randomRow(5, 8);
    const { bound } = integerBound(row);
    const larger = {
      ...row,
      weight: row.weight.map((w) => 1e3 * w),
      grid: { ...row.grid, step: 1e3 * row.grid.step },
    };
    expect(integerBound(larger).bound / 1e6).toBeCloseTo(bound, 5);
    expect(integerBound({ ...row, gram: row.gram.map((g) => g * 1e-8) }).bound * 1e8).toBeCloseTo(bound, 5);
  });

  it('does not depend on the order of the inputs', () => {
    const row = randomRow(6, 9);
    const order = createRandom(1).permutation(9);
    const gram = Float64Array.from(row.gram, (_, at) => row.gram[order[(at / 9) | 0]! * 9 + order[at % 9]!]!);
    const mixed = { ...row, gram, weight: Float64Array.from(order, (i) => row.weight[i]!) };
    expect(integerBound(mixed).bound).toBeCloseTo(integerBound(row).bound, 4);
    expect(exactRounding(mixed).error).toBeCloseTo(exactRounding(row).error, 9);
  });

  it('proves what it can where inputs are always 0 or the same', () => {
    const inner = randomRow(7, 4);
    // Columns: the four, one that is always 0, and twice an input that the others do not depend on.
    const n = 7;
    const gram = new Float64Array(n * n);
    for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) gram[i * n + j] = inner.gram[i * 4 + j]!;
    for (const i of [5, 6]) for (const j of [5, 6]) gram[i * n + j] = 3;
    const row = { ...inner, gram, weight: Float64Array.from([...inner.weight, 0.3, 0.4, -0.2]) };
    expect(integerBound(row).bound).toBeCloseTo(integerBound(inner).bound, 6);
    expect(integerBound({ ...row, gram: new Float64Array(n * n) }).bound).toBe(0);
  });

  it('takes milliseconds for a chunk of 36', () => {
    const row = randomRow(8, 36);
    integerBound(row, { precision: 1e-3 });
    const started = performance.now();
    for (let i = 0; i < 5; i++) integerBound(row, { precision: 1e-3 });
    expect((performance.now() - started) / 5).toBeLessThan(400); // 10 to 20 on an idle machine
  });

  it('says what is wrong with numbers that are no layer', () => {
    const row = randomRow(9, 2);
    const broken: readonly IntegerProblem[] = [
      { ...row, weight: Float64Array.of(1) },
      { ...row, weight: Float64Array.of(1, Number.NaN) },
      { ...row, gram: Float64Array.of(1, Number.POSITIVE_INFINITY, 0, 1) },
      { ...row, gram: Float64Array.of(1, 0, 0, -1) },
      { ...row, gram: Float64Array.of(1, 2, 2, 1) },
      { ...row, gram: Float64Array.of(1, 0.5, 0.1, 1) },
      { ...row, grid: { step: 0, lowest: -1, highest: 1 } },
      { ...row, grid: { step: 1, lowest: 1, highest: -1 } },
      { ...row, weight: new Float64Array(3), gram: Float64Array.of(1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1) },
    ];
    const messages = broken.map((each) => {
      try {
        integerBound(each);
        return 'no error';
      } catch (error) {
        return `${(error as { code: string }).code} | ${(error as Error).message}`;
      }
    });
    expect(messages.join('\n')).toMatchInlineSnapshot(`
      "LAYER_NUMBERS | layer, gram: expected 1 numbers for 1 weights, found 4. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_NUMBERS | layer, weight: expected finite numbers, found NaN. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_GRAM | layer, gram: expected a symmetric positive semidefinite XᵀX, found no symmetry at [1, 0]. Collect it again, from more samples or in float64.
      LAYER_GRAM | layer, gram: expected a symmetric positive semidefinite XᵀX, found -1 on the diagonal. Collect it again, from more samples or in float64.
      LAYER_GRAM | layer, gram: expected a symmetric positive semidefinite XᵀX, found 2 at [1, 0], beyond its diagonal. Collect it again, from more samples or in float64.
      LAYER_GRAM | layer, gram: expected a symmetric positive semidefinite XᵀX, found no symmetry at [1, 0]. Collect it again, from more samples or in float64.
      LAYER_NUMBERS | layer, grid: expected a positive step and whole ends in order, found step 0, -1 to 1. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_NUMBERS | layer, grid: expected a positive step and whole ends in order, found step 1, 1 to -1. Give finite weights [rows, size] and XᵀX [size, size] of the same layer.
      LAYER_GRAM | layer, gram: expected a symmetric positive semidefinite XᵀX, found a negative eigenvalue. Collect it again, from more samples or in float64."
    `);
  });
});

describe('exactRounding', () => {
  it('finds what trying all codes finds', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(0, 0.7, 1.5), (seed, correlated) => {
        const row = randomRow(seed, 5, { bits: 2, correlated });
        let least = Number.POSITIVE_INFINITY;
        for (let at = 0; at < 4 ** 5; at++) {
          const codes = Array.from({ length: 5 }, (_, i) => ((at >> (2 * i)) & 3) - 2);
          least = Math.min(least, errorOf(row, codes));
        }
        expect(exactRounding(row).error).toBeCloseTo(least, 9);
      }),
      { numRuns: 30, seed: 3 },
    );
  });

  it('stops at its limits and says so, with the best so far', () => {
    const row = randomRow(1, 20, { correlated: 1 });
    const near = errorOf(row, nearestOf(row));
    const none = exactRounding(row, { nodes: 0 });
    expect(none).toMatchObject({ exact: false, nodes: 0 });
    expect(none.error).toBeCloseTo(near, 9);
    const some = exactRounding(row, { nodes: 200 });
    expect(some.error).toBeLessThanOrEqual(near);
    expect(exactRounding(row, { milliseconds: 0 }).exact).toBe(false);
  });

  it('stops earlier where a gap is allowed', () => {
    const row = randomRow(2, 16, { correlated: 0.9 });
    const [sharp, loose] = [exactRounding(row), exactRounding(row, { gap: 0.2 })];
    expect(loose.nodes).toBeLessThan(sharp.nodes);
    expect(loose.error * 0.8).toBeLessThanOrEqual(sharp.error);
  });

  it('counts inputs that are always 0 as free, and proves nothing where inputs are the same', () => {
    const weight = Float64Array.of(0.3, 0.7);
    const grid = { step: 1, lowest: -2, highest: 1 };
    expect(exactRounding({ gram: Float64Array.of(2, 0, 0, 0), weight, grid })).toMatchObject({ exact: true });
    expect(exactRounding({ gram: Float64Array.of(2, 2, 2, 2), weight, grid }).exact).toBe(true); // 0 + 1 is exact
    expect(exactRounding({ gram: Float64Array.of(2, 2, 2, 2), weight: Float64Array.of(0.3, 0.9), grid }).exact).toBe(
      false,
    );
  });
});
