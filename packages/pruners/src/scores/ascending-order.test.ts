import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascendingOrder } from './ascending-order.js';

describe('ascendingOrder', () => {
  it('gives places from the smallest on, equal ones in order', () => {
    expect([...ascendingOrder(Float32Array.of(3, 1, 3))]).toEqual([1, 0, 2]);
    expect([...ascendingOrder(Float32Array.of(Number.POSITIVE_INFINITY, 0, 1e-40))]).toEqual([1, 2, 0]);
    expect([...ascendingOrder(new Float32Array())]).toEqual([]);
  });

  it('orders as a stable sort does', () => {
    const numbers = fc.array(fc.oneof(fc.float({ min: 0, noNaN: true }), fc.constantFrom(0, 1, 2)), { maxLength: 300 });
    fc.assert(
      fc.property(numbers, (list) => {
        const values = Float32Array.from(list, Math.abs); // without negative zeros
        const sorted = Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
        expect([...ascendingOrder(values)]).toEqual(sorted);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('works on a view into a larger buffer', () => {
    expect([...ascendingOrder(Float32Array.of(9, 9, 2, 1).subarray(2))]).toEqual([1, 0]);
  });
});
