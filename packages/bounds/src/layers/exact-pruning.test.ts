import { createRandom } from '@espalier/core';
import { inverseOf } from '@espalier/ops';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomGram } from '../../../../test/random-gram.js';
import { sineRow } from '../../../../test/sine-row.js';
import { enumerateKept, enumerationNodes } from './enumerate-kept.js';
import { exactPruning } from './exact-pruning.js';
import { greedyPath, greedyPruning } from './greedy-pruning.js';
import { magnitudePruning } from './magnitude-pruning.js';
import { openNodes } from './open-nodes.js';
import { pruningDiagonals } from './pruning-diagonals.js';
import type { PruningProblem } from './pruning-problem.js';
import { quadraticForm } from './quadratic-form.js';
import { refitKept } from './refit-kept.js';
import { sweep, sweptInverse } from './swept-inverse.js';

const printed = [
  { n: 8, k: 4, error: 6.766886, zeroed: [0, 2, 5, 7], greedy: 6.766886 },
  { n: 8, k: 6, error: 15.820117, zeroed: [0, 2, 3, 4, 5, 7], greedy: 15.820117 },
  { n: 10, k: 5, error: 7.018204, zeroed: [2, 5, 7, 8, 9], greedy: 7.018204 },
  { n: 12, k: 6, error: 7.559518, zeroed: [2, 5, 7, 9, 10, 11], greedy: 8.841454 },
  { n: 12, k: 9, error: 22.352486, zeroed: [2, 3, 4, 5, 7, 8, 9, 10, 11], greedy: 22.352486 },
  { n: 16, k: 8, error: 10.710261, zeroed: [0, 1, 2, 3, 11, 13, 14, 15], greedy: 12.368232 },
] as const;

const randomRow = (seed: number, n: number, correlated = 0.6): Pick<PruningProblem, 'gram' | 'weight'> => {
  const random = createRandom(seed);
  const gram = randomGram(random, { size: n, correlated, rectified: true });
  return { gram, weight: Float64Array.from({ length: n }, () => random.normal()) };
};

/** Least error over every set of zeros, each refitted on its own. */
function bruteForce({ gram, weight, zeros }: PruningProblem): number {
  let least = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 2 ** weight.length; set++) {
    const zeroed = Array.from(weight.keys()).filter((i) => (set >> i) & 1);
    if (zeroed.length === zeros) least = Math.min(least, refitKept(gram, weight, zeroed).error);
  }
  return least;
}
const seeds = fc.integer({ min: 0, max: 1e6 });
const errorAt = ({ gram, weight }: PruningProblem, other: Float64Array) =>
  quadraticForm(
    gram,
    weight.map((w, i) => other[i]! - w),
  );

describe.each(printed)('the checkable instance with $k of $n weights zeroed', ({ n, k, error, zeroed, greedy }) => {
  const problem = { ...sineRow(n), zeros: k };

  it('has the printed optimum, by search and by looking at every choice', () => {
    // Few kept weights would all be looked at: without nodes to spend on that, the search has to find it.
    const inverse = inverseOf(problem.gram, n)!;
    const rootBound = pruningDiagonals(problem.gram, { inverse, row: problem.weight, zeros: k }).bound;
    expect(rootBound).toBeLessThanOrEqual(error + 1e-6);
    expect(rootBound).toBeGreaterThan(0.3 * error);
    const found = exactPruning(problem);
    expect(found.error).toBeCloseTo(error, 6);
    expect([...found.zeroed]).toEqual(zeroed);
    expect(found.exact).toBe(true);
    expect(found.bound).toBeGreaterThan(error * (1 - 1e-6));
    const { kept } = enumerateKept(problem);
    expect(Array.from(problem.weight.keys()).filter((i) => !kept.includes(i))).toEqual(zeroed);
  });

  it('has the printed greedy solution', () => {
    expect(greedyPruning(problem).error).toBeCloseTo(greedy, 6);
  });
});

describe('exactPruning', () => {
  it('is what trying every set finds; the bound is below, heuristics are above', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 8 }), fc.constantFrom(0, 0.6, 1.2), (seed, zeros, correlated) => {
        const problem = { ...randomRow(seed, 8, correlated), zeros };
        const exact = exactPruning(problem);
        const least = bruteForce(problem);
        expect(exact.error).toBeCloseTo(least, 8);
        expect(exact.bound).toBeLessThanOrEqual(least * (1 + 1e-9));
        for (const nodes of [0, 1, 3]) {
          const { error, bound } = exactPruning(problem, { nodes });
          expect(bound).toBeLessThanOrEqual(least * (1 + 1e-9));
          expect(error).toBeGreaterThanOrEqual(least * (1 - 1e-9));
        }
        expect(greedyPruning(problem).error).toBeGreaterThanOrEqual(least * (1 - 1e-9));
        expect(magnitudePruning(problem).error).toBeGreaterThanOrEqual(least * (1 - 1e-9));
        expect(errorAt(problem, exact.weight)).toBeCloseTo(exact.error, 8);
        expect(exact.weight.filter((w) => w === 0).length).toBe(zeros);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('finds by search what looking at every choice finds', () => {
    for (let seed = 0; seed < 8; seed++) {
      const problem = { ...randomRow(seed, 18), zeros: 9 };
      const { kept } = enumerateKept(problem);
      const gone = Array.from(problem.weight.keys()).filter((i) => !kept.includes(i));
      const found = exactPruning(problem, { nodes: 600 }); // too few to look at all 43,758
      expect(found.exact).toBe(true);
      expect(found.nodes).toBeLessThan(600);
      expect([...found.zeroed]).toEqual(gone);
    }
  });

  it('keeps a gap that is asked for, and its bound when nodes run out', () => {
    const problem = { ...randomRow(3, 30), zeros: 15 };
    const sharp = exactPruning(problem, { nodes: 50_000 });
    expect(sharp.exact).toBe(true);
    const loose = exactPruning(problem, { gap: 0.1 });
    expect(loose.nodes).toBeLessThan(sharp.nodes);
    expect(loose.bound).toBeGreaterThanOrEqual(loose.error * 0.9 * (1 - 1e-9));
    let last = 0;
    for (const nodes of [0, 50, 500]) {
      const { bound, exact } = exactPruning(problem, { nodes });
      expect(exact).toBe(false);
      expect(bound).toBeLessThanOrEqual(sharp.error * (1 + 1e-9));
      expect(bound).toBeGreaterThanOrEqual(last);
      last = bound;
    }
    expect(last).toBeGreaterThan(0.5 * sharp.error);
    expect(exactPruning(problem, { milliseconds: 0 }).exact).toBe(false);
  });

  it('is the sum of the smallest where inputs do not depend on each other', () => {
    const { weight } = randomRow(4, 30);
    const gram = new Float64Array(900);
    for (let i = 0; i < 30; i++) gram[i * 31] = 1 + (i % 3);
    const costs = [...weight].map((w, i) => w * w * (1 + (i % 3))).sort((a, b) => a - b);
    const expected = costs.slice(0, 15).reduce((sum, each) => sum + each, 0);
    const found = exactPruning({ gram, weight, zeros: 15 }, { nodes: 0, gap: 1e-3 });
    expect(found.error).toBeCloseTo(expected, 9);
    expect(found.exact).toBe(true);
  });

  it('does not depend on the order and the scale of the inputs', () => {
    const row = randomRow(5, 12);
    const order = createRandom(2).permutation(12);
    const gram = Float64Array.from(row.gram, (_, at) => row.gram[order[(at / 12) | 0]! * 12 + order[at % 12]!]!);
    const { error } = exactPruning({ ...row, zeros: 7 });
    expect(
      exactPruning({ gram, weight: row.weight.map((_, i) => row.weight[order[i]!]!), zeros: 7 }).error,
    ).toBeCloseTo(error, 9);
    // An input s times as large with a weight s times as small is the same layer.
    const scale = row.weight.map((_, i) => 1 + i);
    const scaled = {
      gram: row.gram.map((g, at) => g * scale[(at / 12) | 0]! * scale[at % 12]!),
      weight: row.weight.map((w, i) => w / scale[i]!),
    };
    expect(exactPruning({ ...scaled, zeros: 7 }).error).toBeCloseTo(error, 9);
  });

  it('zeroes inputs that are always 0 first, for nothing', () => {
    const gram = Float64Array.of(0, 0, 0, 0, 2, 0.5, 0, 0.5, 1);
    const weight = Float64Array.of(100, 1, 0.1);
    expect(exactPruning({ gram, weight, zeros: 1 })).toMatchObject({ error: 0, bound: 0, exact: true });
    expect([...exactPruning({ gram, weight, zeros: 2 }).zeroed]).toEqual([0, 2]);
    expect(exactPruning({ gram, weight, zeros: 3 }).error).toBeCloseTo(quadraticForm(gram, weight), 12);
    expect(exactPruning({ gram, weight, zeros: 0 })).toMatchObject({ error: 0, exact: true });
  });

  it('answers for inputs that say the same, where few weights are kept', () => {
    const gram = Float64Array.of(1, 1, 0, 1, 1, 0, 0, 0, 1);
    const found = exactPruning({ gram, weight: Float64Array.of(1, 1, 1), zeros: 2 });
    expect(found).toMatchObject({ exact: true });
    expect(found.error).toBeCloseTo(1, 9);
    expect(greedyPruning({ gram, weight: Float64Array.of(1, 1, 1), zeros: 1 }).error).toBeCloseTo(0, 6);
  });

  it('says what is wrong with its numbers', () => {
    const row = { gram: Float64Array.of(1), weight: Float64Array.of(1) };
    expect(() => exactPruning({ ...row, zeros: 2 })).toThrow('a whole number from 0 to 1, found 2');
    expect(() => magnitudePruning({ ...row, zeros: 0.5 })).toThrow('found 0.5');
    expect(() => greedyPruning({ ...row, weight: Float64Array.of(Number.NaN), zeros: 1 })).toThrow('found NaN');
  });
});

describe('greedyPruning', () => {
  it('ends where no exchange of two weights helps', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const problem = { ...randomRow(seed, 10), zeros: 5 };
        const { error, zeroed } = greedyPruning(problem);
        expect(error).toBeLessThanOrEqual(greedyPruning(problem, { swaps: false }).error * (1 + 1e-9));
        for (const out of zeroed) {
          for (let into = 0; into < 10; into++) {
            if (zeroed.includes(into)) continue;
            const other = [...zeroed].filter((i) => i !== out).concat(into);
            expect(refitKept(problem.gram, problem.weight, other).error).toBeGreaterThan(error * (1 - 1e-6));
          }
        }
      }),
      { numRuns: 20, seed: 2 },
    );
  });

  it('gives all sparsities at once, as each by itself', () => {
    const row = randomRow(6, 14);
    const path = greedyPath(row, [10, 3, 7, 7]);
    expect(path.map(({ error }) => error)).toEqual(
      [10, 3, 7, 7].map((zeros) => greedyPruning({ ...row, zeros }).error),
    );
  });
});

describe('magnitudePruning', () => {
  it('zeroes the smallest and refits the others', () => {
    // Of 1 and 3, with inputs that go together: 3 + 0.5·1/1 makes up for part of the 1.
    const problem = { gram: Float64Array.of(1, 0.5, 0.5, 1), weight: Float64Array.of(1, 3), zeros: 1 };
    expect(magnitudePruning(problem)).toEqual({
      weight: Float64Array.of(0, 3.5),
      zeroed: Uint32Array.of(0),
      error: 0.75,
    });
  });
});

describe('sweep', () => {
  it('undoes itself and gives the error of refitting', () => {
    const { gram, weight } = randomRow(7, 6);
    const inverse = inverseOf(gram, 6)!;
    const state = sweptInverse(inverse, weight);
    for (const p of [4, 1, 2]) sweep(state, p);
    expect(state.error).toBeCloseTo(refitKept(gram, weight, [1, 2, 4]).error, 9);
    expect(state.row[0]).toBeCloseTo(refitKept(gram, weight, [1, 2, 4]).weight[0]!, 9);
    for (const p of [1, 4, 2]) sweep(state, p);
    expect(state.error).toBeCloseTo(0, 9);
    state.table.forEach((value, at) => {
      expect(value).toBeCloseTo(inverse[at]!, 9);
    });
  });
});

describe('enumerationNodes', () => {
  it('counts what is visited but for the last index', () => {
    expect([enumerationNodes(36, 5), enumerationNodes(36, 1), enumerationNodes(10, 3)]).toEqual([58905, 1, 45]);
  });
});

describe('openNodes', () => {
  it('gives the least bound first and always knows it, even where the list is full', () => {
    const open = openNodes<{ readonly bound: number }>();
    const random = createRandom(1);
    const bounds = Array.from({ length: 20_500 }, () => random.next());
    for (const bound of bounds) open.push({ bound });
    const sorted = [...bounds].sort((a, b) => a - b);
    expect(open.least()).toBe(sorted[0]);
    const popped = bounds.map(() => {
      const least = open.least()!;
      const { bound } = open.pop()!;
      expect(bound).toBeGreaterThanOrEqual(least);
      return bound;
    });
    expect(popped.slice(0, 500)).toEqual(bounds.slice(20_000).reverse()); // beyond the heap, the newest first
    expect(popped.slice(500)).toEqual(bounds.slice(0, 20_000).sort((a, b) => a - b));
    expect([open.least(), open.pop()]).toEqual([undefined, undefined]);
  });
});
