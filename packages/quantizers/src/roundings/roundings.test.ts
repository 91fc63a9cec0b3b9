import { createRandom, instantiate, type Rounding, type RoundingProblem } from '@espalier/core';
import { describePlugin, runKit } from '@espalier/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomGram } from '../../../../test/random-gram.js';
import { descendCodes, descent } from './coordinate-descent.js';
import { nearest, nearestRounding } from './nearest-rounding.js';
import { successive, successiveRounding } from './successive-rounding.js';

/** dᵀ a d. */
const quadraticForm = (a: Float64Array, d: Float64Array): number =>
  d.reduce((sum, x, i) => sum + x * d.reduce((inner, y, j) => inner + a[i * d.length + j]! * y, 0), 0);

const plugins = [nearest, successive, descent];

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
const seeds = fc.integer({ min: 0, max: 1e6 });

for (const plugin of plugins) runKit(describePlugin(plugin), { describe, it });

describe.each(plugins.map((plugin) => [plugin.id, instantiate(plugin, {}) as Rounding] as const))(
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
      expect(rounding(alone)).toEqual(nearestRounding(alone));
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

describe('successiveRounding', () => {
  it('lets later weights make up for the error of earlier ones', () => {
    // w₀ = 0.4 becomes 0; with inputs that go together at 0.9, w₁ takes on 0.9·0.4 and becomes 1.
    const problem: RoundingProblem = {
      weight: Float64Array.of(0.4, 0.4),
      rows: 1,
      size: 2,
      gram: Float64Array.of(1, 0.9, 0.9, 1),
      grids: [{ step: 1, lowest: -2, highest: 1 }],
    };
    expect([...successiveRounding(problem, { damping: 0 })]).toEqual([0, 1]);
    expect([...nearestRounding(problem)]).toEqual([0, 0]);
  });

  it('is better than rounding to the nearest, most of the time', () => {
    let [nearer, better] = [0, 0];
    for (let seed = 0; seed < 40; seed++) {
      const problem = randomProblem(seed, { rows: 4, size: 16 });
      const [near, gptq] = [
        errorsOf(problem, nearestRounding(problem)),
        errorsOf(problem, successiveRounding(problem)),
      ];
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
    expect([...successiveRounding(problem, { damping: 0 })]).toEqual([0, 1]);
    expect([...successiveRounding(problem, { damping: 0, actOrder: true })]).toEqual([1, 0]);
  });

  it('refuses a matrix that no damping makes positive definite', () => {
    const problem = { ...randomProblem(4, { rows: 1, size: 2 }), gram: Float64Array.of(1, 9, 9, 1) };
    expect(() => successiveRounding(problem)).toThrow(expect.objectContaining({ code: 'LAYER_GRAM' }));
  });
});

describe('descendCodes', () => {
  it('ends where no single change helps, never above its start', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const problem = randomProblem(seed);
        for (const start of [nearestRounding(problem), successiveRounding(problem), new Int32Array(24)]) {
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
    expect(total(fair, descent()(fair))).toBeLessThanOrEqual(total(fair, successive()(fair)));
    expect(total(fair, descent({ start: 'nearest' })(fair))).toBeLessThanOrEqual(total(fair, nearest()(fair)));
  });
});
