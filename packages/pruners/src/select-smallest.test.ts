import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smallest } from './select-smallest.js';

describe('smallest', () => {
  it('finds where the smallest end', () => {
    expect(smallest([Uint32Array.of(5, 1, 5), Uint32Array.of(9)], 2)).toEqual({ key: 5, ties: 1 });
    expect(smallest([Uint32Array.of(3, 2 ** 32 - 1)], 2)).toEqual({ key: 2 ** 32 - 1, ties: 1 });
  });

  it('chooses none of none', () => {
    expect(smallest([Uint32Array.of(0, 4)], 0)).toEqual({ key: 0, ties: 0 });
    expect(smallest([], 0).ties).toBe(0);
  });

  it('agrees with sorting', () => {
    const key = fc.oneof(
      fc.nat(5),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(2 ** 21, 2 ** 21 - 1, 2 ** 10, 2 ** 31),
    );
    fc.assert(
      fc.property(fc.array(fc.array(key)), fc.double({ min: 0, max: 1, noNaN: true }), (lists, share) => {
        const sorted = Uint32Array.from(lists.flat()).sort();
        const count = Math.round(share * sorted.length);
        const cut = smallest(
          lists.map((list) => Uint32Array.from(list)),
          count,
        );
        expect(sorted.filter((each) => each < cut.key).length + cut.ties).toBe(count);
        if (count > 0) expect(cut.key).toBe(sorted[count - 1]);
      }),
      { numRuns: 500 },
    );
  });
});
