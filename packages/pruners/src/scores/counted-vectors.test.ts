import { floats } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { unitTarget } from '../../test/unit-target.js';
import { countedVectors } from './counted-vectors.js';

const sixteen = floats(
  Float32Array.from({ length: 12 }, (_, i) => i),
  [2, 3, 2],
);

describe('countedVectors', () => {
  it('lists the weights of each unit along any axis, slice after slice', () => {
    const [slice] = unitTarget([[0]]).slices;
    const target = unitTarget([[], []], {
      slices: [
        { ...slice!, weight: sixteen, axis: 1, indices: Int32Array.of(0, 2), each: 1 },
        { ...slice!, weight: floats([7, 8, 9, 10]), axis: 0, indices: Int32Array.of(3, 0, 1, 2), each: 2 },
        { ...slice!, weight: floats([5, 6]), axis: 0, indices: Int32Array.of(0, 1), each: 1, counts: false },
      ],
    });
    const { rows, size } = countedVectors(target);
    expect(size).toBe(6);
    expect([...rows.subarray(0, 6)]).toEqual([0, 1, 6, 7, 10, 7]);
    expect([...rows.subarray(6)]).toEqual([4, 5, 10, 11, 8, 9]);
  });

  it('reads columns, whose blocks are single elements', () => {
    const [slice] = unitTarget([[0]]).slices;
    const weight = floats([1, 2, 3, 4], [2, 2]);
    const target = unitTarget([[], []], { slices: [{ ...slice!, weight, axis: 1, indices: Int32Array.of(1, 0) }] });
    expect([...countedVectors(target).rows]).toEqual([2, 4, 1, 3]);
  });
});
