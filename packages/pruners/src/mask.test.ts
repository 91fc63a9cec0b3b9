import { floats, fromNumbers, toNumbers } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { applyMask, maskOf, maskProjection } from './mask.js';

describe('masks', () => {
  it('mark what is not zero', () => {
    expect([...maskOf(floats([1, 0, -0, -2]))]).toEqual([1, 0, 0, 1]);
    expect([...maskOf(fromNumbers('float16', [3], [0, 1e-7, -0]))]).toEqual([0, 1, 0]);
  });

  it('zero what they leave out, in a copy', () => {
    const weight = floats([1, 2, 3]);
    expect(toNumbers(applyMask(weight, Uint8Array.of(1, 0, 1)))).toEqual([1, 0, 3]);
    expect(toNumbers(weight)).toEqual([1, 2, 3]);
    expect(applyMask(weight, Uint8Array.of(1, 1, 1))).toBe(weight);
  });

  it('must have the size of the tensor', () => {
    expect(() => applyMask(floats([1, 2]), Uint8Array.of(1))).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: float32[2]: expected a mask of 2 elements, found 1. Make the mask from a tensor of the same shape.]`,
    );
  });

  it('project weights while training, at every step alike', () => {
    const project = maskProjection(
      new Map([
        ['w', Uint8Array.of(1, 0)],
        ['gone', Uint8Array.of(1)],
      ]),
    );
    const weights = new Map([
      ['w', floats([1, 2])],
      ['b', floats([3])],
    ]);
    const projected = project(weights, 7);
    expect(toNumbers(projected.get('w')!)).toEqual([1, 0]);
    expect(projected.get('b')).toBe(weights.get('b'));
    expect(project(projected, 8)).toBe(projected);
  });
});
