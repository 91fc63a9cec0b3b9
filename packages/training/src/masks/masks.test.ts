import { floats, type Tensor, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { masked } from './masked.js';
import { maskedShare } from './masked-share.js';
import { masksOfZeros } from './masks-of-zeros.js';

describe('masks', () => {
  it('make zero what they prune and leave the rest, other tensors untouched', () => {
    const weights = new Map([
      ['a', floats([1, Number.NaN, 3])],
      ['b', floats([4])],
    ]);
    const out = masked(weights, new Map([['a', floats([1, 0, 1])]]));
    expect([...out.get('a')!.data]).toEqual([1, 0, 3]);
    expect(out.get('b')).toBe(weights.get('b'));
  });

  it('must name a parameter and have its shape', () => {
    expect(() => masked(new Map(), new Map([['a', floats([1])]]))).toThrow(/the name of a parameter/);
    expect(() => masked(new Map([['a', floats([1, 2])]]), new Map([['a', floats([1])]]))).toThrow(/float32\[2\]/);
  });

  it('come from the zeros of weights, but not of biases, whole-zero or integer tensors', () => {
    const weights = new Map<string, Tensor>([
      ['pruned', floats([0, 2, -0, 4], [2, 2])],
      ['whole', floats([1, 2], [1, 2])],
      ['empty', floats([0, 0], [1, 2])],
      ['bias', floats([0, 1])],
      ['table', tensor('int32', [1, 2], Int32Array.of(0, 1))],
    ]);
    expect(masksOfZeros(weights)).toEqual(new Map([['pruned', floats([0, 1, 0, 1], [2, 2])]]));
  });

  it('say how much of all they prune', () => {
    expect(maskedShare(new Map())).toBe(0);
    expect(
      maskedShare(
        new Map([
          ['a', floats([1, 0])],
          ['b', floats([0, 0, 1, 1, 1, 0])],
        ]),
      ),
    ).toBe(0.5);
  });
});
