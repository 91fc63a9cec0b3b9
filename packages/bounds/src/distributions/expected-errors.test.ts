import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secondMoment, truncated } from './distribution.js';
import { expectedPruningError } from './expected-pruning-error.js';
import { expectedQuantizationError, gridEnds } from './expected-quantization-error.js';
import { laplace } from './laplace.js';
import { normal } from './normal.js';
import { optimalStep } from './optimal-step.js';
import { equalSparsity, pruningCrossover, pruningOrQuantization } from './pruning-crossover.js';
import { studentT } from './student-t.js';
import { uniform } from './uniform.js';

// bits, step, error, dB on the full grid; the same on the symmetric one; threshold, error, dB of pruning.
const normalTable = [
  [2, 1.048385, 1.494311e-1, 8.2556, 1.224006, 1.90174e-1, 7.2085, 1.534121, 0.4976556, 3.0307],
  [3, 0.601824, 4.063825e-2, 13.9107, 0.65077, 4.685997e-2, 13.292, 1.318011, 0.3712943, 4.3028],
  [4, 0.338608, 1.186404e-2, 19.2577, 0.353411, 1.288939e-2, 18.8977, 1.150349, 0.276393, 5.5847],
  [5, 0.188792, 3.525959e-3, 24.5272, 0.193249, 3.69322e-3, 24.3259, 1.00999, 0.2036067, 6.9121],
  [6, 0.104179, 1.042853e-3, 29.8178, 0.105488, 1.069289e-3, 29.709, 0.887147, 0.1474331, 8.3141],
  [7, 0.056887, 3.045785e-4, 35.163, 0.057261, 3.086218e-4, 35.1057, 0.776422, 0.104216, 9.8207],
  [8, 0.030766, 8.770692e-5, 40.5697, 0.03087, 8.830803e-5, 40.54, 0.67449, 0.0713259, 11.4675],
] as const;

describe.each(normalTable)(
  'N(0,1) at %d bits',
  (bits, step, error, db, symStep, symError, symDb, t, pruned, prunedDb) => {
    test('has the known best step and error on the full grid', () => {
      const best = optimalStep(normal, bits);
      expect(Math.abs(best.step / step - 1)).toBeLessThan(3e-5);
      expect(Math.abs(best.total / error - 1)).toBeLessThan(1e-6);
      expect(Math.abs(best.snrDb - db)).toBeLessThan(1e-4);
    });

    test('has the known best step and error on the symmetric grid', () => {
      const best = optimalStep(normal, bits, 'symmetric');
      expect(Math.abs(best.step / symStep - 1)).toBeLessThan(3e-5);
      expect(Math.abs(best.total / symError - 1)).toBeLessThan(1e-6);
      expect(Math.abs(best.snrDb - symDb)).toBeLessThan(1e-4);
    });

    test('has the known threshold and error of pruning', () => {
      const found = expectedPruningError(normal, equalSparsity(bits));
      expect(Math.abs(found.threshold - t)).toBeLessThan(1e-6);
      expect(Math.abs(found.total - pruned)).toBeLessThan(1e-7);
      expect(Math.abs(found.snrDb - prunedDb)).toBeLessThan(1e-4);
      const density = Math.exp((-found.threshold * found.threshold) / 2) / Math.sqrt(2 * Math.PI);
      expect(found.total).toBeCloseTo(equalSparsity(bits) - 2 * found.threshold * density, 13);
    });
  },
);

test('the error splits into rounding and clipping, and rounding makes zeros', () => {
  const known = [
    [2, 7.746842e-2, 7.196264e-2, 0.3999],
    [3, 2.892996e-2, 1.170829e-2, 0.2365],
    [4, 9.440113e-3, 2.423925e-3, 0.1344],
    [5, 2.959692e-3, 5.662665e-4, 0.0752],
    [6, 9.035017e-4, 1.393516e-4, 0.0415],
    [7, 2.695986e-4, 3.497992e-5, 0.0227],
    [8, 7.886978e-5, 8.837137e-6, 0.0123],
  ] as const;
  for (const [bits, rounding, clipping, zeros] of known) {
    const best = optimalStep(normal, bits);
    // The two parts change with the step to first order, and the step is known to six digits.
    expect(Math.abs(best.rounding / rounding - 1)).toBeLessThan(1e-4);
    expect(Math.abs(best.clipping / clipping - 1)).toBeLessThan(1e-4);
    expect(best.zeros).toBeCloseTo(zeros, 4);
    expect(best.rounding + best.clipping).toBeCloseTo(best.total, 15);
  }
});

test('Laplace with variance 1 has the known figures', () => {
  const known = [
    [2, 1.214126, 6.8404, 4.6241],
    [3, 0.762452, 11.427, 6.2723],
    [4, 0.467647, 15.9756, 7.8728],
    [6, 0.165915, 25.3613, 11.1459],
    [8, 0.054851, 35.2091, 14.7738],
  ] as const;
  const unit = laplace(Math.SQRT1_2);
  for (const [bits, step, db, prunedDb] of known) {
    const best = optimalStep(unit, bits);
    expect(Math.abs(best.step / step - 1)).toBeLessThan(3e-5);
    expect(Math.abs(best.snrDb - db)).toBeLessThan(1e-4);
    expect(Math.abs(expectedPruningError(unit, equalSparsity(bits)).snrDb - prunedDb)).toBeLessThan(1e-4);
  }
});

const bitsOfTable = [2, 3, 4, 6, 8] as const;
// Decibels of quantization and of pruning, by where Student-t with 2 degrees of freedom is cut off.
const studentTable = [
  [3, [8.2443, 14.3746, 20.4441, 32.5143, 44.5615], [3.1924, 4.6182, 6.0287, 8.9556, 12.2486]],
  [5, [7.3335, 12.8057, 18.4977, 30.2535, 42.2173], [4.1918, 5.7718, 7.2815, 10.3283, 13.6898]],
  [10, [6.0498, 10.4633, 15.4296, 26.5222, 38.294], [5.6601, 7.3439, 8.9141, 12.0293, 15.4276]],
  [20, [4.9367, 8.3554, 12.3942, 22.4382, 33.8615], [6.9641, 8.6799, 10.268, 13.4024, 16.8109]],
  [50, [3.8145, 6.2464, 9.1281, 17.143, 27.689], [8.3379, 10.0632, 11.6564, 14.7965, 18.208]],
  [100, [3.1894, 5.1054, 7.3307, 13.6592, 23.0725], [9.1671, 10.8938, 12.4878, 15.6287, 19.0405]],
  [1000, [1.9596, 2.9728, 4.0567, 6.8578, 11.2855], [11.1583, 12.8854, 14.4797, 17.6208, 21.0328]],
] as const;

test.each(studentTable)('Student-t cut off at %d has the known figures of both', (l, quantization, pruning) => {
  const cut = truncated(studentT(2), l);
  bitsOfTable.forEach((bits, i) => {
    const found = pruningOrQuantization(cut, bits);
    expect(Math.abs(found.quantizationDb - quantization[i]!)).toBeLessThan(1e-4);
    expect(Math.abs(found.pruningDb - pruning[i]!)).toBeLessThan(1e-4);
  });
});

test('Student-t cut off at 10 has the known best steps and thresholds', () => {
  const cut = truncated(studentT(2), 10);
  const known = [
    [2.41646, 2.4535],
    [1.57649, 1.9155],
    [0.96191, 1.5681],
    [0.29079, 1.1141],
    [0.07669, 0.8058],
  ] as const;
  bitsOfTable.forEach((bits, i) => {
    const [step, threshold] = known[i]!;
    expect(Math.abs(optimalStep(cut, bits).step / step - 1)).toBeLessThan(1e-4);
    expect(Math.abs(expectedPruningError(cut, equalSparsity(bits)).threshold - threshold)).toBeLessThan(1e-4);
    // Closed form: t = u √(2 / (1 - u²)) with u = cZ.
    const u = equalSparsity(bits) * 2 * studentT(2).moment(0, 10);
    expect(expectedPruningError(cut, equalSparsity(bits)).threshold).toBeCloseTo(u * Math.sqrt(2 / (1 - u * u)), 12);
  });
});

test('pruning begins to win where the tails are known to be heavy enough', () => {
  const family = (l: number) => truncated(studentT(2), l);
  const known = [
    [2, 11.09],
    [3, 18.61],
    [4, 29.37],
    [5, 45.9],
    [6, 71.73],
  ] as const;
  for (const [bits, l] of known) {
    expect(Math.abs(pruningCrossover(family, { bits, from: 3, to: 200, precision: 1e-3 })! - l)).toBeLessThan(0.01);
  }
  expect(pruningCrossover(family, { bits: 8, from: 3, to: 20 })).toBeUndefined();
});

test('the headline of the paper holds: about 19 dB for 4 bits against 5.6 dB for 75 %', () => {
  const found = pruningOrQuantization(normal, 4);
  expect(Math.abs(found.quantizationDb - 19.1)).toBeLessThan(0.25);
  expect(found.pruningDb).toBeCloseTo(5.58, 2);
});

test('a uniform distribution loses step²/12 when the grid reaches over it', () => {
  const grid = { step: 0.25, ...gridEnds(4, 'full') };
  const found = expectedQuantizationError(uniform(1.625), grid);
  expect(found.total).toBeCloseTo(0.25 ** 2 / 12, 12);
  expect(found.clipping).toBe(0);
});

test('expected errors are those of samples', () => {
  const grid = { step: 0.4, ...gridEnds(3, 'full') };
  const count = 200_000;
  let error = 0;
  for (let i = 0; i < count; i++) {
    // Quantiles of the Laplace distribution at evenly spaced probabilities stand for samples.
    const p = (i + 0.5) / count;
    const w = p < 0.5 ? Math.log(2 * p) : -Math.log(2 - 2 * p);
    const q = 0.4 * Math.max(-4, Math.min(3, Math.round(w / 0.4)));
    error += (w - q) ** 2 / count;
  }
  expect(expectedQuantizationError(laplace(1), grid).total).toBeCloseTo(error, 3);
});

test('more bits and less sparsity never lose more', () => {
  const cut = fc.double({ min: 2, max: 200, noNaN: true });
  fc.assert(
    fc.property(
      cut,
      fc.integer({ min: 2, max: 5 }),
      fc.double({ min: 0.05, max: 0.9, noNaN: true }),
      (l, bits, sparsity) => {
        const distribution = truncated(studentT(2), l);
        expect(optimalStep(distribution, bits + 1).total).toBeLessThan(optimalStep(distribution, bits).total);
        const [less, more] = [sparsity, sparsity + 0.05].map(
          (share) => expectedPruningError(distribution, share).total,
        );
        expect(less!).toBeLessThan(more!);
        expect(more!).toBeLessThan(secondMoment(distribution));
      },
    ),
    { numRuns: 10 },
  );
});

test('tails too heavy for an error, and options out of range, are refused', () => {
  expect(() => optimalStep(studentT(2), 4)).toThrowError(/second moment/);
  expect(() => optimalStep(normal, 1)).toThrowError(/bits/);
  expect(() => expectedPruningError(normal, 1.5)).toThrowError(/sparsity/);
});
