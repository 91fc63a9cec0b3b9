import type { RoundingGrid } from '@espalier/core';
import { gramIndefinite } from '@espalier/ops';
import { badLayer } from '../errors.js';

/**
 * One row of weights to be put on one grid: minimise E(z) = (step·z - w)ᵀ G (step·z - w) over whole z of the grid.
 * `{ gram: [2], weight: [0.3], grid: { step: 1, lowest: -1, highest: 1 } }` has E(0) = 0.18 as its minimum.
 */
export interface IntegerProblem {
  /** G = XᵀX, [n, n]. */
  readonly gram: Float64Array;
  /** w, [n]. */
  readonly weight: Float64Array;
  readonly grid: RoundingGrid;
}

/** Checks sizes, finiteness and symmetry. @throws LAYER_NUMBERS, LAYER_GRAM. */
export function checkRow(gram: Float64Array, weight: Float64Array): void {
  const size = weight.length;
  if (gram.length !== size * size) {
    throw badLayer('gram', { expected: `${size * size} numbers for ${size} weights`, found: `${gram.length}` });
  }
  for (const value of weight) {
    if (!Number.isFinite(value)) throw badLayer('weight', { expected: 'finite numbers', found: String(value) });
  }
  checkGram(gram, size);
}

/** Checks that a matrix can be an XᵀX as far as single elements tell. @throws LAYER_NUMBERS, LAYER_GRAM. */
export function checkGram(gram: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    const own = gram[i * size + i]!;
    if (own < 0) throw gramIndefinite(`${own} on the diagonal`);
    for (let j = 0; j <= i; j++) {
      const value = gram[i * size + j]!;
      if (!Number.isFinite(value)) throw badLayer('gram', { expected: 'finite numbers', found: String(value) });
      const scale = Math.sqrt(own) * Math.sqrt(gram[j * size + j]!);
      // float32 sums of products differ by about 1e-6 of the scale; 1e-4 is another matrix
      if (Math.abs(value - gram[j * size + i]!) > 1e-4 * scale) throw gramIndefinite(`no symmetry at [${i}, ${j}]`);
      if (Math.abs(value) > 1.0001 * scale) throw gramIndefinite(`${value} at [${i}, ${j}], beyond its diagonal`);
    }
  }
}

/** Checks the grid of a problem. @throws LAYER_NUMBERS. */
export function checkGrid({ step, lowest, highest }: RoundingGrid): void {
  const whole = Number.isInteger(lowest) && Number.isInteger(highest) && lowest <= highest;
  if (whole && step > 0 && Number.isFinite(step)) return;
  throw badLayer('grid', {
    expected: 'a positive step and whole ends in order',
    found: `step ${step}, ${lowest} to ${highest}`,
  });
}
