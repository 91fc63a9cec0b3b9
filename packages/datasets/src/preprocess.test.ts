import { fromNumbers, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { preprocess } from './preprocess.js';
import type { PreprocessOptions } from './preprocess-options.js';
import { tensorSet } from './tensor-set.js';

// Two images of 1x2 pixels in colour.
const colour = tensorSet({
  name: 'colour',
  fields: new Map([
    ['image', tensor('uint8', [2, 1, 2, 3], Uint8Array.of(0, 51, 102, 255, 204, 153, 1, 2, 3, 4, 5, 6))],
  ]),
});
const grey = tensorSet({
  name: 'grey',
  fields: new Map([['image', tensor('uint8', [1, 2, 2, 1], Uint8Array.of(0, 85, 170, 255))]]),
});
const first = async (set: typeof colour, options: PreprocessOptions) => {
  const image = (await preprocess(set, options).read([0])).get(options.as ?? 'image')!;
  return { ...image, data: Array.from(image.data as Float32Array, (value) => Math.round(value * 1e4) / 1e4) };
};

describe('preprocess', () => {
  it('turns bytes into floats from 0 to 1, channels first', async () => {
    expect(await first(colour, {})).toEqual({
      dtype: 'float32',
      shape: [1, 3, 1, 2],
      data: [0, 1, 0.2, 0.8, 0.4, 0.6],
    });
  });

  it('keeps channels last where asked', async () => {
    expect(await first(colour, { layout: 'nhwc' })).toMatchObject({
      shape: [1, 1, 2, 3],
      data: [0, 0.2, 0.4, 1, 0.8, 0.6],
    });
  });

  it('subtracts the mean and divides by the deviation after scaling, per channel', async () => {
    const { data } = await first(colour, { mean: [0, 0.2, 0.4], std: [1, 0.5, 0.1] });
    expect(data).toEqual([0, 1, 0, 1.2, 0, 2]);
    expect((await first(colour, { mean: [0.5], std: [0.5] })).data).toEqual([-1, 1, -0.6, 0.6, -0.2, 0.2]);
  });

  it('makes colour grey as Pillow does, and grey threefold', async () => {
    // (0*19595 + 51*38470 + 102*7471 + 32768) >> 16 = 42; (255*19595 + 204*38470 + 153*7471 + 32768) >> 16 = 213.
    expect((await first(colour, { channels: 1, scale: 1 })).data).toEqual([42, 213]);
    expect(await first(grey, { channels: 3, scale: 1 })).toMatchObject({
      shape: [1, 3, 2, 2],
      data: [0, 85, 170, 255, 0, 85, 170, 255, 0, 85, 170, 255],
    });
  });

  it('resizes, then crops', async () => {
    expect(await first(grey, { resize: { height: 1, width: 2 }, scale: 1 })).toMatchObject({ shape: [1, 1, 1, 2] });
    expect((await first(grey, { resize: 4, crop: 2, scale: 1 })).shape).toEqual([1, 1, 2, 2]);
    expect(preprocess(grey, { resize: 5 }).fields.get('image')!.shape).toEqual([1, 5, 5]);
    expect(preprocess(colour, { resize: 5 }).fields.get('image')!.shape).toEqual([3, 5, 10]);
  });

  it('reads float images that have channels first', async () => {
    const floats = tensorSet({
      name: 'f',
      fields: new Map([['x', tensor('float32', [1, 3, 1, 2], Float32Array.of(0, 1, 2, 3, 4, 5))]]),
    });
    const options = { field: 'x', from: 'nchw', as: 'input' } as const;
    expect((await first(floats, options)).data).toEqual([0, 1, 2, 3, 4, 5]);
    expect((await first(floats, { ...options, layout: 'nhwc' })).data).toEqual([0, 2, 4, 1, 3, 5]);
  });

  it('writes other dtypes: bytes as they are, integers rounded and kept in range, halves', async () => {
    const raw = await preprocess(colour, { dtype: 'uint8', layout: 'nhwc' }).read([1]);
    expect(raw.get('image')!.data).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
    const shifted = await preprocess(grey, { dtype: 'int8', mean: [128] }).read([0]);
    expect(shifted.get('image')!.data).toEqual(Int8Array.of(-128, -43, 42, 127));
    const half = await preprocess(grey, { dtype: 'float16' }).read([0]);
    expect(half.get('image')).toEqual(fromNumbers('float16', [1, 1, 2, 2], Float32Array.of(0, 1 / 3, 2 / 3, 1)));
  });

  it('leaves other fields and labels as they are', async () => {
    const both = tensorSet({
      name: 'both',
      fields: new Map([
        ['image', tensor('uint8', [2, 1, 1, 1], Uint8Array.of(0, 255))],
        ['label', tensor('uint8', [2], Uint8Array.of(3, 4))],
      ]),
    });
    const done = preprocess(both, { as: 'x' });
    expect([...done.fields.keys()]).toEqual(['x', 'label']);
    expect((await done.read([1])).get('label')!.data).toEqual(Int32Array.of(4));
    expect(done).toMatchObject({ labels: Int32Array.of(3, 4) });
  });

  it.each([
    ['a field that is not there', { field: 'x' }, 'DATA_EMPTY'],
    ['a mean for two channels', { mean: [0.5, 0.5] }, 'DATA_SPEC'],
    ['a deviation of zero', { std: [0] }, 'DATA_SPEC'],
    ['a size of no pixels', { resize: 0 }, 'DATA_SPEC'],
    ['a size of too many pixels', { resize: { height: 100000, width: 100000 } }, 'DATA_SPEC'],
    ['four channels', { channels: 4 }, 'DATA_SHAPE'],
  ])('refuses %s', (_, options, code) => {
    expect(() => preprocess(colour, options)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses to cut more than there is', async () => {
    await expect(preprocess(colour, { crop: 2 }).read([0])).rejects.toThrow(
      /at least 2x2, found 1x2\. Give the option `resize`/,
    );
  });
});
