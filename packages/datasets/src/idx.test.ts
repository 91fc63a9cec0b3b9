import { memoryFiles } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/fixtures.js';
import { idx } from './idx.js';
import { labelsOf } from './subset.js';

const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4);
const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 5);
const files = memoryFiles(
  new Map([
    ['i.gz', gzipSync(images)],
    ['l', labels],
    ['short', labels.slice(0, 9).fill(1, 7, 8)],
  ]),
);

describe('idx', () => {
  it('pairs images and labels, packed or not', async () => {
    const set = await idx({ images: 'i.gz', labels: 'l' })({ files, seed: 0 });
    const read = await set.read([1]);
    expect(read.get('image')).toEqual({ dtype: 'uint8', shape: [1, 1, 2, 1], data: Uint8Array.of(3, 4) });
    expect(read.get('label')!.data).toEqual(Int32Array.of(5));
  });

  it('reads images alone', async () => {
    expect([...(await idx({ images: 'i.gz' })({ files, seed: 0 })).fields.keys()]).toEqual(['image']);
  });

  it('refuses labels in the place of images, and labels of another number', async () => {
    await expect(idx({ images: 'l' })({ files, seed: 0 })).rejects.toThrow(/Name the file of the images first/);
    await expect(idx({ images: 'i.gz', labels: 'short' })({ files, seed: 0 })).rejects.toMatchObject({
      code: 'DATA_SHAPE',
    });
  });
});

const data = dataFolder();

describe.skipIf(!data)('Fashion-MNIST from its files (skipped without the data folder)', () => {
  it('has the published mean and deviation', async () => {
    const set = await idx({
      images: 'fashion-mnist/train-images-idx3-ubyte.gz',
      labels: 'fashion-mnist/train-labels-idx1-ubyte.gz',
    })({ files: nodeFiles(data!), seed: 0 });
    expect(set.size).toBe(60000);
    expect([...(await labelsOf(set)).subarray(0, 5)]).toEqual([9, 0, 0, 3, 0]);
    let [sum, squares] = [0, 0];
    for (let at = 0; at < set.size; at += 6000) {
      const read = await set.read(Array.from({ length: 6000 }, (_, i) => at + i));
      for (const value of read.get('image')!.data as Uint8Array) {
        sum += value;
        squares += value * value;
      }
    }
    const mean = sum / 60000 / 784 / 255;
    expect(mean).toBeCloseTo(0.286, 4);
    expect(Math.sqrt(squares / 60000 / 784 / 255 ** 2 - mean ** 2)).toBeCloseTo(0.353, 4);
  });
});
