import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stepFor } from '../width.js';
import { type Angle, cosineOf, forgetRate, jointConstants, redundantStep } from './forget.js';

const round = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, each, i) => sum + each * b[i]!, 0);
const angleOf = (v: readonly number[], g: readonly number[]): Angle => ({
  product: dot(v, g),
  own: dot(v, v),
  direction: dot(g, g),
});

/** Clipped values and residuals with signs, at a limit and an exponent of 1. */
function partsOf(x: readonly number[], step: number) {
  const c = x.map((each) => Math.sign(each) * Math.min(Math.abs(each), 1));
  const r = c.map((each) => Math.sign(each) * (round(Math.abs(each) / step) - Math.abs(each) / step));
  return { c, r };
}

const x = [0.8, -0.5, 0.3, -0.9];
const range = { finest: stepFor(16, { limit: 1 }), coarsest: stepFor(4, { limit: 1 }) };

describe('the rules of the joint stage', () => {
  const rate = 0.1;
  const scaled = (g: readonly number[]) => g.map((each) => rate * each);
  const { c, r } = partsOf(x, 0.15);

  test('forget slowly against the gradient, and take the coarsest step along it', () => {
    const g = scaled([-0.4, 0.1, -0.2, 0.3]);
    expect(cosineOf(angleOf(c, g))).toBeCloseTo(-0.955236, 6);
    expect(cosineOf(angleOf(r, g))).toBeCloseTo(0.645497, 6);
    const gamma = forgetRate(angleOf(c, g), { at: 0, period: 10, elements: 4 });
    expect(gamma).toBeCloseTo(4.285714e-5, 10);
    expect(redundantStep(angleOf(r, g), { rate: gamma, ...range }).step).toBe(range.coarsest);
  });

  test('forget evenly along the gradient, with the step limited by the fewest bits', () => {
    const g = scaled([0.4, -0.1, -0.3, -0.2]);
    expect(cosineOf(angleOf(c, g))).toBeCloseTo(0.627727, 6);
    const gamma = forgetRate(angleOf(c, g), { at: 3, period: 10, elements: 4 });
    expect(gamma).toBeCloseTo(1 / 7, 12);
    expect(redundantStep(angleOf(r, g), { rate: gamma, finest: 0, coarsest: 10 }).step).toBeCloseTo(1.132866, 6);
    expect(redundantStep(angleOf(r, g), { rate: gamma, ...range }).step).toBeCloseTo(1 / 7, 12);
  });

  test('the factors of even forgetting come to exactly 0 at the last step', () => {
    const along: Angle = { product: 1, own: 1, direction: 1 };
    let left = 1;
    for (let at = 0; at < 12; at++) left *= 1 - forgetRate(along, { at, period: 12, elements: 1 });
    expect(left).toBe(0);
  });

  test('leave units alone that are zero', () => {
    expect(forgetRate({ product: 0, own: 0, direction: 1 }, { at: 0, period: 5, elements: 3 })).toBe(0);
  });

  const vectors = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 });
  test('descend: the direction of the step has at most -η(1 - ζ)α‖g‖² of the gradient', () => {
    fc.assert(
      fc.property(vectors, vectors, fc.double({ min: 1e-4, max: 1, noNaN: true }), (weights, gradient, alpha) => {
        fc.pre(dot(gradient, gradient) > 1e-6);
        const g = gradient.map((each) => alpha * each);
        const parts = partsOf(weights, 0.15);
        const [toZero, residual] = [angleOf(parts.c, g), angleOf(parts.r, g)];
        const before = forgetRate(toZero, { at: 0, period: 10, elements: 6 });
        const { step, rate: gamma } = redundantStep(residual, { rate: before, ...range });
        const s = g.map((each, i) => -each - gamma * parts.c[i]! - gamma * step * parts.r[i]!);
        const { eta, zeta } = jointConstants;
        const bound = -eta * (1 - zeta) * alpha * dot(gradient, gradient);
        const slack = 1e-12 + 1e-9 * Math.abs(bound);
        // A coarsest step taken at a positive cosine only helps; the finest one keeps the product γd.
        expect(dot(gradient, s)).toBeLessThanOrEqual(bound + slack);
        expect(step).toBeGreaterThanOrEqual(range.finest);
        expect(step).toBeLessThanOrEqual(range.coarsest);
      }),
      { numRuns: 500 },
    );
  });
});
