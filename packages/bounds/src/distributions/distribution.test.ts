import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Distribution, kurtosis, type MomentOrder, secondMoment, truncated } from './distribution.js';
import { errorFunction } from './error-function.js';
import { antiderivative } from './integrate.js';
import { laplace } from './laplace.js';
import { normal } from './normal.js';
import { logGamma, studentT } from './student-t.js';
import { uniform } from './uniform.js';

const densities: readonly (readonly [Distribution, (x: number) => number])[] = [
  [normal, (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)],
  [uniform(2), (x) => (x <= 2 ? 0.25 : 0)],
  [laplace(0.7), (x) => Math.exp(-x / 0.7) / 1.4],
  [studentT(2), (x) => (2 + x * x) ** -1.5],
  [studentT(1), (x) => 1 / (Math.PI * (1 + x * x))],
  [studentT(3), (x) => (6 * Math.sqrt(3)) / (Math.PI * (3 + x * x) ** 2)],
  [studentT(5), (x) => 8 / (3 * Math.PI * Math.sqrt(5) * (1 + (x * x) / 5) ** 3)],
];

/** Simpson's rule with so many points that it is exact to 1e-12 for these densities. */
function simpson(f: (x: number) => number, to: number): number {
  const count = 4000;
  const h = to / count;
  let sum = f(0) + f(to);
  for (let i = 1; i < count; i++) sum += f(i * h) * (i % 2 === 1 ? 4 : 2);
  return (sum * h) / 3;
}

describe.each(densities.map(([distribution, density]) => [distribution.name, distribution, density] as const))(
  '%s',
  (_, distribution, density) => {
    test('partial moments are the integrals of its density', () => {
      for (const order of [0, 1, 2, 4] as const satisfies readonly MomentOrder[]) {
        for (const x of [0.01, 0.5, 1, 1.9]) {
          expect(Math.abs(distribution.moment(order, x) - simpson((u) => u ** order * density(u), x))).toBeLessThan(
            1e-12,
          );
        }
      }
    });

    test('has a mass of 1 and is symmetric', () => {
      expect(2 * distribution.moment(0, distribution.limit)).toBeCloseTo(1, 13);
      expect(distribution.moment(2, -1.3)).toBe(-distribution.moment(2, 1.3));
      expect(distribution.moment(1, -1.3)).toBe(distribution.moment(1, 1.3));
    });
  },
);

test('kurtosis is that of the textbooks', () => {
  expect(kurtosis(normal)).toBeCloseTo(3, 13);
  expect(kurtosis(uniform(3))).toBeCloseTo(1.8, 13);
  expect(kurtosis(laplace(1))).toBeCloseTo(6, 13);
  expect(kurtosis(studentT(10))).toBeCloseTo(4, 12);
  expect(secondMoment(studentT(5))).toBeCloseTo(5 / 3, 13);
  expect(secondMoment(studentT(2))).toBe(Number.POSITIVE_INFINITY);
});

// Mass, variance and kurtosis of Student-t with 2 degrees of freedom, cut off at l.
test.each([
  [3, 0.904534, 1.3091, 2.9598],
  [5, 0.96225, 2.1059, 4.2128],
  [10, 0.990148, 3.3611, 7.9595],
  [20, 0.997509, 4.7038, 17.4407],
  [50, 0.9996, 6.521, 58.3311],
  [100, 0.9999, 7.9046, 159.6657],
  [1000, 0.999999, 12.5087, 6390.888],
])('Student-t cut off at %d has the known mass, variance and kurtosis', (l, mass, variance, fourth) => {
  const cut = truncated(studentT(2), l);
  expect(2 * studentT(2).moment(0, l)).toBeCloseTo(mass, 6);
  expect(secondMoment(cut)).toBeCloseTo(variance, 4);
  expect(kurtosis(cut)).toBeCloseTo(fourth, 3);
  expect(2 * cut.moment(0, Number.POSITIVE_INFINITY)).toBeCloseTo(1, 14);
});

test('the quadrature of general degrees of freedom agrees with the closed forms near and far', () => {
  const near = truncated(studentT(2 + 1e-9), 1000);
  const closed = truncated(studentT(2), 1000);
  for (const order of [0, 1, 2, 4] as const) {
    for (const x of [0.1, 3, 40, 999]) {
      expect(Math.abs(near.moment(order, x) / closed.moment(order, x) - 1)).toBeLessThan(1e-7);
    }
  }
  const square = antiderivative((x) => 1 / (1 + x * x), 1);
  for (const x of [0, 0.2, 1, 7, 1e3, 1e9]) expect(Math.abs(square(x) - Math.atan(x))).toBeLessThan(1e-13);
});

test('erf and ln Γ are right to the last digits', () => {
  const known = [
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
  ] as const;
  for (const [x, value] of known) {
    expect(Math.abs(errorFunction(x) - value)).toBeLessThan(4e-16);
    expect(errorFunction(-x)).toBe(-errorFunction(x));
  }
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
  fc.assert(
    fc.property(fc.double({ min: 0.05, max: 80, noNaN: true }), (x) => {
      expect(Math.abs(logGamma(x + 1) - logGamma(x) - Math.log(x))).toBeLessThan(2e-12);
    }),
  );
});

test('a number of degrees of freedom that is not above 0 is refused', () => {
  expect(() => studentT(0)).toThrowError(/freedom/);
});
