import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stepFor, stepWithin, widthOf } from './width.js';

describe('the width of a parameterized quantizer', () => {
  test('follows from step, limit and exponent', () => {
    expect(widthOf({ step: 0.1, limit: 1 })).toBeCloseTo(4.459432, 6);
    expect(widthOf({ step: 0.1, limit: 1.2, exponent: 0.8 })).toBeCloseTo(4.651948, 6);
    expect(widthOf({ step: 0.25, limit: 0.9, exponent: 1.3 })).toBeCloseTo(3.16607, 6);
    expect(widthOf({ step: 1, limit: 255, signed: false })).toBe(8);
  });

  const positive = fc.double({ min: 0.01, max: 8, noNaN: true });
  const exponents = fc.double({ min: 0.2, max: 3, noNaN: true });
  const widths = fc.double({ min: 2, max: 16, noNaN: true });

  test('is the inverse of the step', () => {
    fc.assert(
      fc.property(positive, exponents, widths, fc.boolean(), (limit, exponent, bits, signed) => {
        const lattice = { limit, exponent, signed };
        expect(widthOf({ ...lattice, step: stepFor(bits, lattice) })).toBeCloseTo(bits, 8);
      }),
    );
  });

  test('is inside the range after a projection, which leaves steps inside as they are', () => {
    fc.assert(
      fc.property(positive, positive, exponents, (step, limit, exponent) => {
        const range = { min: 4, max: 8 };
        const lattice = { step, limit, exponent };
        const projected = stepWithin(lattice, range);
        const bits = widthOf({ ...lattice, step: projected });
        expect(bits).toBeGreaterThanOrEqual(4 - 1e-9);
        expect(bits).toBeLessThanOrEqual(8 + 1e-9);
        const own = widthOf(lattice);
        if (own > 4 && own < 8) expect(projected).toBe(step);
      }),
    );
  });
});
