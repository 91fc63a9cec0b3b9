import { floats, longs, type Tensor, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { joinRows, rowsOf, tensorSet } from './tensor-set.js';

describe('tensorSet', () => {
  it('reads rows of every field and keeps their dtypes', async () => {
    const set = tensorSet({
      name: 'mixed',
      fields: new Map<string, Tensor>([
        ['a', floats([1, 2, 3, 4, 5, 6], [3, 2])],
        ['b', longs([7, 8, 9])],
        ['s', tensor('string', [3], ['x', 'y', 'z'])],
      ]),
    });
    const read = await set.read([2, 0]);
    expect(read.get('a')).toEqual(floats([5, 6, 1, 2], [2, 2]));
    expect(read.get('b')).toEqual(longs([9, 7]));
    expect(read.get('s')!.data).toEqual(['z', 'x']);
    expect(set.fields.get('a')).toEqual({ dtype: 'float32', shape: [2] });
  });

  it('makes labels of any whole numbers int32', () => {
    const set = tensorSet({ name: 'x', fields: new Map([['label', longs([3, 1], [2, 1])]]) });
    expect(set).toMatchObject({ labels: Int32Array.of(3, 1) });
    expect(set.fields.get('label')).toEqual({ dtype: 'int32', shape: [] });
  });

  it.each([
    ['labels that are no classes', new Map([['label', floats([0.5])]]), 'DATA_SHAPE'],
    ['one-hot labels', new Map([['label', floats([0, 1, 1, 0], [2, 2])]]), 'DATA_SHAPE'],
    [
      'fields of unlike length',
      new Map([
        ['a', floats([1])],
        ['b', floats([1, 2])],
      ]),
      'DATA_SHAPE',
    ],
    ['a scalar', new Map([['a', floats([1], [])]]), 'DATA_SHAPE'],
    ['nothing', new Map(), 'DATA_EMPTY'],
  ])('refuses %s', (_, fields, code) => {
    expect(() => tensorSet({ name: 'x', fields })).toThrow(expect.objectContaining({ code }));
  });
});

describe('joinRows', () => {
  it('undoes taking single rows', () => {
    const all = floats([1, 2, 3, 4, 5, 6], [3, 2]);
    expect(joinRows([0, 1, 2].map((i) => rowsOf(all, [i])))).toEqual(all);
  });

  it('refuses rows of other shapes', () => {
    expect(() => joinRows([floats([1], [1, 1]), floats([1, 2], [1, 2])])).toThrow(/samples float32\[1\]/);
  });
});
