import { memoryFiles } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/fixtures.js';
import { cifar10, cifar10Classes } from './cifar10.js';
import { labelsOf } from './subset.js';

/** One record: its label and the value of its three planes. */
const record = (label: number, red: number, green: number, blue: number) => {
  const out = new Uint8Array(3073).fill(blue);
  out[0] = label;
  out.fill(red, 1, 1025).fill(green, 1025, 2049);
  return out;
};
const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const files = memoryFiles(
  new Map([
    ['c/data_batch_1.bin', join(record(3, 1, 2, 3), record(0, 4, 5, 6))],
    ['c/data_batch_2.bin', record(1, 7, 8, 9)],
    ['c/test_batch.bin', record(9, 10, 11, 12)],
    ['c/batches.meta.txt', new Uint8Array(4)],
    ['short.bin', new Uint8Array(3000)],
    ['label.bin', join(record(1, 0, 0, 0), record(10, 0, 0, 0))],
  ]),
);
const open = (path: string, split?: 'train' | 'test' | 'all') =>
  cifar10(split ? { path, split } : { path })({ files, seed: 0 });

describe('cifar10', () => {
  it('interleaves the planes of a record', async () => {
    const set = await open('c', 'train');
    expect([set.size, set.classes]).toEqual([3, cifar10Classes]);
    const read = await set.read([2, 0]);
    expect(read.get('image')!.shape).toEqual([2, 32, 32, 3]);
    expect([...(read.get('image')!.data as Uint8Array).subarray(0, 4)]).toEqual([7, 8, 9, 7]);
    expect([...(read.get('image')!.data as Uint8Array).subarray(-3)]).toEqual([1, 2, 3]);
    expect(read.get('label')!.data).toEqual(Int32Array.of(1, 3));
  });

  it('reads the test file, all files, or one file', async () => {
    expect((await open('c')).size).toBe(1);
    expect((await open('c/', 'all')).size).toBe(4);
    expect((await open('c/data_batch_1.bin')).size).toBe(2);
  });

  it('refuses files of another layout and says where', async () => {
    await expect(open('short.bin')).rejects.toMatchObject({ code: 'DATA_FORMAT' });
    await expect(open('label.bin')).rejects.toThrow(/label.bin, byte 3073: expected a label from 0 to 9, found 10/);
    await expect(open('nowhere')).rejects.toMatchObject({ code: 'FILE_MISSING' });
  });
});

const data = dataFolder();

describe.skipIf(!data)('4,000 training images (skipped without the data folder)', () => {
  it('have the mean that CIFAR-10 has', async () => {
    const set = await cifar10({ path: 'cifar10/train4000.bin.gz' })({ files: nodeFiles(data!), seed: 0 });
    expect(set.size).toBe(4000);
    expect(new Set(await labelsOf(set)).size).toBe(10);
    const sums = [0, 0, 0];
    const all = (await set.read(Array.from({ length: 4000 }, (_, i) => i))).get('image')!.data as Uint8Array;
    for (let i = 0; i < all.length; i++) sums[i % 3]! += all[i]!;
    // Of all 50,000 images: 0.4914 0.4822 0.4465.
    [0.4914, 0.4822, 0.4465].forEach((mean, c) => {
      expect(Math.abs(sums[c]! / 4000 / 1024 / 255 - mean)).toBeLessThan(0.01);
    });
  });
});
