import { createRandom } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cholesky, inverseOf, solveCholesky, solveCholeskyRows } from './cholesky.js';

/** A positive definite matrix: XᵀX of more rows than columns. */
function definite(size: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const rows = 2 * size + 3;
  const x = Float64Array.from({ length: rows * size }, () => random.normal());
  const out = new Float64Array(size * size);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) out[i * size + j]! += x[r * size + i]! * x[r * size + j]!;
    }
  }
  return out;
}

describe('cholesky', () => {
  it('factors [[4, 2], [2, 5]] into [[2, 0], [1, 2]], and refuses what is not positive definite', () => {
    const factor = new Float64Array(4);
    expect(cholesky(Float64Array.of(4, 2, 2, 5), 2, factor)).toBe(true);
    expect([...factor]).toEqual([2, 0, 1, 2]);
    expect(cholesky(Float64Array.of(1, 2, 2, 1), 2, factor)).toBe(false);
    expect(cholesky(Float64Array.of(Number.NaN), 1, factor)).toBe(false);
  });

  it('has LLᵀ = A, and solves what it factored, for sizes that four does and does not divide', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 22 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (size, count, seed) => {
        const a = definite(size, seed);
        const factor = new Float64Array(size * size);
        expect(cholesky(a, size, factor)).toBe(true);
        const scale = Math.max(...a);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j <= i; j++) {
            let sum = 0;
            for (let k = 0; k <= j; k++) sum += factor[i * size + k]! * factor[j * size + k]!;
            expect(Math.abs(sum - a[i * size + j]!)).toBeLessThan(1e-12 * scale);
          }
        }
        const random = createRandom(seed + 1);
        const rows = Float64Array.from({ length: count * size }, () => random.normal());
        const single = rows.slice();
        solveCholeskyRows(factor, size, rows);
        for (let row = 0; row < count; row++)
          solveCholesky(factor, size, single.subarray(row * size, (row + 1) * size));
        expect([...rows]).toEqual([...single]);
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it('inverts', () => {
    const a = definite(9, 4);
    const inverse = inverseOf(a, 9)!;
    for (let i = 0; i < 9; i++) {
      for (let j = 0; j < 9; j++) {
        let sum = 0;
        for (let k = 0; k < 9; k++) sum += a[i * 9 + k]! * inverse[k * 9 + j]!;
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 9);
      }
    }
  });
});
