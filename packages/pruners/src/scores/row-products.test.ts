import { createRandom } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { rowProducts, squaredNorms } from './row-products.js';

describe('rowProducts', () => {
  it('multiplies each row with all later ones, for any number of rows', () => {
    const random = createRandom(2);
    for (const units of [1, 2, 3, 4, 5, 6, 7, 8, 11]) {
      const size = 5;
      const rows = Float32Array.from({ length: units * size }, () => random.normal());
      const row = (i: number) => [...rows.subarray(i * size, (i + 1) * size)];
      const seen: number[] = [];
      rowProducts({ rows, size }, units, (i, products) => {
        seen.push(i);
        for (let j = i + 1; j < units; j++) {
          expect(products[j]).toBe(row(i).reduce((sum, x, k) => sum + x * row(j)[k]!, 0));
        }
      });
      expect(seen).toEqual(Array.from({ length: units }, (_, i) => i));
    }
  });

  it('gives equal rows the very number that is their squared norm', () => {
    const random = createRandom(3);
    const one = Array.from({ length: 33 }, () => random.normal());
    const vectors = { rows: Float32Array.from([...one, ...one, ...one, ...one, ...one, ...one]), size: 33 };
    const norms = squaredNorms(vectors, 6);
    rowProducts(vectors, 6, (i, products) => {
      for (let j = i + 1; j < 6; j++) expect(products[j]).toBe(norms[i]);
    });
  });
});
