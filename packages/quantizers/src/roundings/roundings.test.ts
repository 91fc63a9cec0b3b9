import {
  createRandom,
  instantiate,
  type Rounded,
  type Rounding,
  type RoundingProblem,
  roundWeights,
} from '@espalier/core';
import { describePlugin, runKit } from '@espalier/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomGram } from '../../../../test/random-gram.js';
import { adaround } from './adaround.js';
import { awq } from './awq.js';
import { descendCodes, descent } from './coordinate-descent.js';
import { gptq, gptqRounding } from './gptq.js';
import { hqq } from './hqq.js';
import { nearest, nearestCodes } from './nearest-rounding.js';
import { obq, obqRounding } from './obq.js';

/** dᵀ a d. */
const quadraticForm = (a: Float64Array, d: Float64Array): number =>
  d.reduce((sum, x, i) => sum + x * d.reduce((inner, y, j) => inner + a[i * d.length + j]! * y, 0), 0);

const plugins = [nearest, gptq, obq, hqq, awq, adaround, descent];
const coded = (rounding: Rounding) => (problem: RoundingProblem) => roundWeights(rounding, problem).codes;

const randomProblem = (seed: number, { rows = 3, size = 8, correlated = 0.8 } = {}): RoundingProblem => {
  const random = createRandom(seed);
  const gram = randomGram(random, { size, correlated });
  const weight = Float64Array.from({ length: rows * size }, () => random.normal());
  const grids = Array.from({ length: rows }, (_, row) => ({ step: 0.3 + 0.1 * row, lowest: -4, highest: 3 - row }));
  return { weight, rows, size, gram, grids };
};

const errorsOf = ({ weight, rows, size, gram, grids }: RoundingProblem, codes: Int32Array): readonly number[] =>
  Array.from({ length: rows }, (_, row) =>
    quadraticForm(
      gram,
      Float64Array.from(
        { length: size },
        (_, i) => grids[row]!.step * codes[row * size + i]! - weight[row * size + i]!,
      ),
    ),
  );
const total = (problem: RoundingProblem, codes: Int32Array) =>
  errorsOf(problem, codes).reduce((sum, each) => sum + each, 0);
const gptqCodes = (problem: RoundingProblem, options: Parameters<typeof gptqRounding>[1] = {}) =>
  gptqRounding(problem, options).codes;
const seeds = fc.integer({ min: 0, max: 1e6 });

for (const plugin of plugins) runKit(describePlugin(plugin), { describe, it });

describe.each(plugins.map((plugin) => [plugin.id, coded(instantiate(plugin, {}) as Rounding)] as const))(
  'the rounding "%s"',
  (_, rounding) => {
    it('gives codes of the grid of each row, the same every time, and changes nothing', () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const problem = randomProblem(seed);
          const before = JSON.stringify(problem);
          const codes = rounding(problem);
          expect(codes).toHaveLength(24);
          codes.forEach((code, at) => {
            expect(code).toBeGreaterThanOrEqual(-4);
            expect(code).toBeLessThanOrEqual(3 - Math.floor(at / 8));
          });
          expect(rounding(problem)).toEqual(codes);
          expect(JSON.stringify(problem)).toBe(before);
        }),
        { numRuns: 20, seed: 1 },
      );
    });

    it('rounds each row as if it were alone', () => {
      const problem = randomProblem(1);
      const all = rounding(problem);
      const second = rounding({
        ...problem,
        rows: 1,
        weight: problem.weight.slice(8, 16),
        grids: problem.grids.slice(1, 2),
      });
      expect(second).toEqual(all.slice(8, 16));
    });

    it('keeps weights that are on the grid', () => {
      const problem = randomProblem(2, { rows: 1 });
      const codes = Int32Array.of(-4, 3, 0, 1, -1, 2, -2, 3);
      const weight = Float64Array.from(codes, (code) => code * problem.grids[0]!.step);
      expect(rounding({ ...problem, weight })).toEqual(codes);
    });

    it('is rounding to the nearest where inputs do not depend on each other', () => {
      const problem = randomProblem(3);
      const alone = { ...problem, gram: problem.gram.map((value, at) => (at % 9 === 0 ? value : 0)) };
      expect(rounding(alone)).toEqual(nearestCodes(alone));
    });

    it('takes inputs that are always 0 and inputs that say the same', () => {
      const problem: RoundingProblem = {
        weight: Float64Array.of(0.4, 0.4, 5),
        rows: 1,
        size: 3,
        gram: Float64Array.of(1, 1, 0, 1, 1, 0, 0, 0, 0),
        grids: [{ step: 1, lowest: -8, highest: 7 }],
      };
      expect(rounding(problem)[2]).toBe(5);
      expect(total(problem, rounding(problem))).toBeLessThanOrEqual(0.64 + 1e-9);
    });
  },
);

describe('gptqRounding', () => {
  it('lets later weights make up for the error of earlier ones', () => {
    // w₀ = 0.4 becomes 0; with inputs that go together at 0.9, w₁ takes on 0.9·0.4 and becomes 1.
    const problem: RoundingProblem = {
      weight: Float64Array.of(0.4, 0.4),
      rows: 1,
      size: 2,
      gram: Float64Array.of(1, 0.9, 0.9, 1),
      grids: [{ step: 1, lowest: -2, highest: 1 }],
    };
    expect([...gptqCodes(problem, { damping: 0 })]).toEqual([0, 1]);
    expect([...nearestCodes(problem)]).toEqual([0, 0]);
  });

  it('is better than rounding to the nearest, most of the time', () => {
    let [nearer, better] = [0, 0];
    for (let seed = 0; seed < 40; seed++) {
      const problem = randomProblem(seed, { rows: 4, size: 16 });
      const [near, gptq] = [errorsOf(problem, nearestCodes(problem)), errorsOf(problem, gptqCodes(problem))];
      for (let row = 0; row < 4; row++) gptq[row]! < near[row]! ? better++ : nearer++;
    }
    expect(better).toBeGreaterThan(4 * nearer);
  });

  it('takes inputs with the most energy first when asked, which here is the last', () => {
    const problem: RoundingProblem = {
      weight: Float64Array.of(0.4, 0.4),
      rows: 1,
      size: 2,
      gram: Float64Array.of(1, 1.2, 1.2, 2),
      grids: [{ step: 1, lowest: -2, highest: 1 }],
    };
    expect([...gptqCodes(problem, { damping: 0 })]).toEqual([0, 1]);
    expect([...gptqCodes(problem, { damping: 0, actOrder: true })]).toEqual([1, 0]);
  });

  it('refuses a matrix that no damping makes positive definite', () => {
    const problem = { ...randomProblem(4, { rows: 1, size: 2 }), gram: Float64Array.of(1, 9, 9, 1) };
    expect(() => gptqCodes(problem)).toThrow(expect.objectContaining({ code: 'LAYER_GRAM' }));
  });
});

describe('descendCodes', () => {
  it('ends where no single change helps, never above its start', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const problem = randomProblem(seed);
        for (const start of [nearestCodes(problem), gptqCodes(problem), new Int32Array(24)]) {
          const codes = descendCodes(problem, start);
          const reached = errorsOf(problem, codes);
          errorsOf(problem, start).forEach((error, row) => {
            expect(reached[row]).toBeLessThanOrEqual(error + 1e-9);
          });
          codes.forEach((code, at) => {
            const row = Math.floor(at / 8);
            for (const next of [code - 1, code + 1]) {
              if (next < problem.grids[row]!.lowest || next > problem.grids[row]!.highest) continue;
              const other = codes.slice();
              other[at] = next;
              expect(errorsOf(problem, other)[row]!).toBeGreaterThan(reached[row]! - 1e-6);
            }
          });
        }
      }),
      { numRuns: 20, seed: 2 },
    );
  });

  it('is at least as good as what the plugin starts from', () => {
    const problem = randomProblem(5, { rows: 4, size: 20 });
    const grids = problem.grids.map((grid) => ({ ...grid, highest: 3 }));
    const fair = { ...problem, grids };
    expect(total(fair, coded(descent())(fair))).toBeLessThanOrEqual(total(fair, coded(gptq())(fair)));
    expect(total(fair, coded(descent({ start: 'nearest' }))(fair))).toBeLessThanOrEqual(
      total(fair, coded(nearest())(fair)),
    );
  });
});

/** Plain fixed-order OBQ (the sweep of the paper over the explicit inverse), with nothing saved. */
function slowSweep({ weight, rows, size, gram, grids, group = size }: RoundingProblem, damping: number): Int32Array {
  const codes = new Int32Array(rows * size);
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i]!;
  for (let row = 0; row < rows; row++) {
    const w = weight.slice(row * size, (row + 1) * size);
    for (let i = 0; i < size; i++) {
      const grid = grids[row * Math.ceil(size / group) + Math.floor(i / group)]!;
      const code = Math.max(grid.lowest, Math.min(grid.highest, Math.round(w[i]! / grid.step)));
      codes[row * size + i] = code;
      // The weights still to come solve least squares for the error made so far.
      const rest = Array.from({ length: size - i }, (_, k) => i + k);
      const inverse = invert(
        rest.map((a) => rest.map((b) => gram[a * size + b]! + (a === b ? (damping * trace) / size : 0))),
      );
      const error = (w[i]! - code * grid.step) / inverse[0]![0]!;
      rest.forEach((column, k) => {
        w[column]! -= error * inverse[k]![0]!;
      });
    }
  }
  return codes;
}

/** Gauss-Jordan. */
function invert(a: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const n = a.length;
  const m = a.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let i = 0; i < n; i++) {
    const pivot = m[i]![i]!;
    m[i] = m[i]!.map((x) => x / pivot);
    for (let r = 0; r < n; r++) {
      if (r === i) continue;
      const factor = m[r]![i]!;
      m[r] = m[r]!.map((x, c) => x - factor * m[i]![c]!);
    }
  }
  return m.map((row) => row.slice(n));
}

describe('gptqRounding against the plain sweep', () => {
  it.each([
    { rows: 5, size: 12, group: 12 },
    { rows: 3, size: 21, group: 4 },
    { rows: 2, size: 150, group: 32 },
  ])('gives its codes: %j', ({ rows, size, group }) => {
    const base = randomProblem(size, { rows, size });
    const groups = Math.ceil(size / group);
    const grids = Array.from({ length: rows * groups }, (_, i) => ({
      step: 0.2 + 0.05 * (i % 5),
      lowest: -8,
      highest: 7,
    }));
    const problem = { ...base, group, grids };
    expect([...gptqCodes(problem, { damping: 0.01 })]).toEqual([...slowSweep(problem, 0.01)]);
  });
});

const free = { shift: false, negative: true } as const;
const ids = ['gptq', 'obq', 'adaround', 'descent', 'awq'] as const;

describe('a rounding that may choose its grids', () => {
  const errorIn = (problem: RoundingProblem, { codes, grids }: Rounded): number =>
    errorsOf({ ...problem, grids }, codes).reduce((sum, each) => sum + each, 0);

  it.each(ids)('%s is better than the nearest point of the given ones', (id) => {
    const plugin = plugins.find((each) => each.id === id)!;
    for (let seed = 0; seed < 5; seed++) {
      const problem = { ...randomProblem(seed, { rows: 4, size: 24 }), free };
      const sized = { ...problem, magnitude: new Float64Array(24).fill(1) };
      const answer = roundWeights(instantiate(plugin, {}) as Rounding, sized);
      expect(errorIn(problem, answer)).toBeLessThan(total(problem, nearestCodes(problem)));
    }
  });
});

describe('obqRounding', () => {
  it('rounds the weight that costs least first, so the other makes up for it', () => {
    const problem: RoundingProblem = {
      weight: Float64Array.of(0.4, 0.9),
      rows: 1,
      size: 2,
      gram: Float64Array.of(1, 0.9, 0.9, 1),
      grids: [{ step: 1, lowest: -2, highest: 1 }],
    };
    // 0.9 costs least and becomes 1; 0.4 - 0.9·0.1 = 0.31 becomes 0.
    expect([...obqRounding(problem, { damping: 0 }).codes]).toEqual([0, 1]);
  });

  it('refuses layers that would take hours', () => {
    const problem = randomProblem(1, { rows: 1, size: 8 });
    expect(() => obqRounding(problem, { maximumInputs: 7 })).toThrow(/at most 7 inputs.*found 8/s);
  });
});
