import { type Dim, type DType, floats, longs, type Port, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { fitToInput } from './fit-to-input.js';
import { tensorSet } from './tensor-set.js';

const port = (shape: readonly Dim[] | undefined, dtype: DType = 'float32'): Port => ({
  name: 'in',
  dtype,
  ...(shape ? { shape } : {}),
});
const pictures = (height: number, width: number, channels: number) =>
  tensorSet({
    name: 'pictures',
    fields: new Map([
      [
        'image',
        tensor(
          'uint8',
          [1, height, width, channels],
          new Uint8Array(height * width * channels).map((_, i) => i),
        ),
      ],
    ]),
  });
const one = async (set: ReturnType<typeof pictures>, target: Port, options = {}) =>
  (await fitToInput(set, target, options).read([0])).get('in')!;

describe('fitToInput', () => {
  it.each([
    [
      ['N', 3, 4, 6],
      [1, 3, 4, 6],
    ],
    [
      ['N', 4, 6, 3],
      [1, 4, 6, 3],
    ],
    [
      [1, 3, 'h', 'w'],
      [1, 3, 4, 6],
    ],
    [
      ['N', 'h', 'w', 3],
      [1, 4, 6, 3],
    ],
    [
      ['N', 'c', 4, 6],
      [1, 3, 4, 6],
    ],
    [
      ['N', 4, 6, 'c'],
      [1, 4, 6, 3],
    ],
    [
      ['N', 1, 4, 6],
      [1, 1, 4, 6],
    ],
    [
      ['N', 4, 6, 1],
      [1, 4, 6, 1],
    ],
    [
      ['N', 3, 8, 8],
      [1, 3, 8, 8],
    ],
    [
      ['N', 4, 6],
      [1, 4, 6],
    ],
    [
      ['N', 72],
      [1, 72],
    ],
    [
      ['N', 24],
      [1, 24],
    ],
    [
      ['N', 'k'],
      [1, 72],
    ],
  ])('fits colour images of 4x6 to %j', async (wanted, found) => {
    const fitted = fitToInput(pictures(4, 6, 3), port(wanted));
    expect([...fitted.fields.keys()]).toEqual(['in']);
    expect(fitted.fields.get('in')).toEqual({ dtype: 'float32', shape: found.slice(1) });
    expect((await fitted.read([0])).get('in')!.shape).toEqual(found);
  });

  it('takes values along: scaled for floats, raw for bytes', async () => {
    const scaled = await one(pictures(1, 2, 3), port(['N', 3, 1, 2]), { mean: [0], std: [1 / 255] });
    expect(Array.from(scaled.data as Float32Array, Math.round)).toEqual([0, 3, 1, 4, 2, 5]);
    expect((await one(pictures(1, 2, 3), port(['N', 1, 2, 3], 'uint8'))).data).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5));
  });

  it('stretches, crops or refuses images of another size', async () => {
    const wide = pictures(4, 8, 1);
    const target = port(['N', 1, 4, 4]);
    const cropped = await one(wide, target, { fit: 'crop', scale: 1 });
    expect([...(cropped.data as Float32Array).subarray(0, 4)]).toEqual([2, 3, 4, 5]);
    const stretched = await one(wide, target, { scale: 1 });
    expect((stretched.data as Float32Array)[0]).toBeLessThan(1.5);
    expect(() => fitToInput(wide, target, { fit: 'refuse' })).toThrow(/found images of 4x8/);
  });

  it('crops to the input after a resize of the shorter side', async () => {
    expect((await one(pictures(4, 8, 3), port(['N', 3, 4, 4]), { resize: 5 })).shape).toEqual([1, 3, 4, 4]);
    expect(() => fitToInput(pictures(4, 8, 3), port(['N', 3, 4, 4]), { resize: { height: 2, width: 2 } })).toThrow(
      expect.objectContaining({ code: 'DATA_FIT' }),
    );
  });

  it('flattens images after resizing them', async () => {
    const options = { resize: { height: 2, width: 3 } };
    expect((await one(pictures(4, 6, 3), port(['N', 18]), options)).shape).toEqual([1, 18]);
    expect((await one(pictures(4, 6, 3), port(['N', 6]), options)).shape).toEqual([1, 6]);
  });

  it('passes arrays that fit, under the name of the input, and changes floats and integers only safely', async () => {
    const set = tensorSet({ name: 'arrays', fields: new Map([['x', longs([1, 2], [1, 2])]]) });
    expect((await one(set, port(['N', 's'], 'int64'))).data).toEqual(BigInt64Array.of(1n, 2n));
    expect((await one(set, port(['N', 2], 'float32'))).data).toEqual(Float32Array.of(1, 2));
    const real = tensorSet({ name: 'real', fields: new Map([['x', floats([0.5], [1, 1])]]) });
    expect(() => fitToInput(real, port(['N', 1], 'int64'))).toThrow(/field x of float32/);
    expect(() => fitToInput(real, port(['N', 7]))).toThrow(/samples float32\[1\]/);
    expect(() => fitToInput(real, port(['N', 1]), { mean: [1] })).toThrow(/option mean: expected a field of images/);
  });

  it('scales arrays of images that have channels first already', async () => {
    const set = tensorSet({ name: 'a', fields: new Map([['x', floats([2, 4, 6, 8], [1, 1, 2, 2])]]) });
    expect((await one(set, port(['N', 1, 2, 2]))).data).toEqual(Float32Array.of(2, 4, 6, 8));
    expect((await one(set, port(['N', 1, 2, 2]), { scale: 0.5 })).data).toEqual(Float32Array.of(1, 2, 3, 4));
    expect((await one(set, port(['N', 2, 2, 1]))).shape).toEqual([1, 2, 2, 1]);
  });

  it.each([
    ['a shape that tells nothing', port(['N', 'a', 'b', 'c']), /Give the option `layout`/],
    ['an unknown rank', port(undefined), /rank is not known/],
    ['a rank of five', port(['N', 1, 2, 3, 4]), /rank 5/],
    ['a number of values that is no image', port(['N', 71]), /images of 4x6 with 3 channels/],
    ['an image without a batch axis', port([3, 4, 6]), /without a batch axis/],
    ['other channels', port(['N', 12, 4, 6]), /layout|channels/],
  ])('refuses %s', (_, target, message) => {
    expect(() => fitToInput(pictures(4, 6, 3), target)).toThrow(message);
  });

  it('lists the fields when it cannot choose one', () => {
    const set = tensorSet({
      name: 'two',
      fields: new Map([
        ['a', floats([1])],
        ['b', floats([2])],
      ]),
    });
    expect(() => fitToInput(set, port(['N']))).toThrow(/found fields a, b/);
  });
});
