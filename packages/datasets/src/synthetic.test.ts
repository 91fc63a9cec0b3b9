import { memoryFiles } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { labelsOf } from './subset.js';
import { synthetic } from './synthetic.js';

const open = (options: Parameters<typeof synthetic>[0] = {}) => synthetic(options)({ files: memoryFiles(), seed: 0 });
const pixels = async (set: Awaited<ReturnType<typeof open>>, index: number) =>
  (await set.read([index])).get('image')!.data;

describe('synthetic', () => {
  it('holds ten balanced classes of small colour images', async () => {
    const set = await open();
    expect([set.size, set.classes?.length]).toEqual([2000, 10]);
    expect(set.fields.get('image')).toEqual({ dtype: 'uint8', shape: [16, 16, 3] });
    const counts = new Array(10).fill(0);
    for (const label of await labelsOf(set)) counts[label]++;
    expect(counts).toEqual(new Array(10).fill(200));
    expect((await open({ split: 'train' })).size).toBe(8000);
    expect((await open({ take: 30 })).size).toBe(30);
  });

  it('draws the same image every time, and another for every index and split', async () => {
    const [test, train] = [await open(), await open({ split: 'train' })];
    await test.read([0, 1, 2]);
    expect(await pixels(test, 20)).toEqual(await pixels(await open(), 20));
    expect(await pixels(test, 20)).not.toEqual(await pixels(test, 30));
    expect(await pixels(test, 20)).not.toEqual(await pixels(train, 20));
  });

  it('shows its classes: without noise, a disc is filled in the middle and a ring is not', async () => {
    const set = await open({ noise: 0, side: 64 });
    const filled = async (index: number) => {
      const data = (await pixels(set, index)) as Uint8Array;
      const inked: number[] = [];
      // The corner is paper; what differs from it by more than light does is ink.
      for (let p = 0; p < 64 * 64; p++) if (Math.abs(data[3 * p]! - data[0]!) > 34) inked.push(p);
      const centre = (pick: (p: number) => number) =>
        Math.round(inked.reduce((sum, p) => sum + pick(p), 0) / inked.length);
      const middle = 3 * (centre((p) => Math.floor(p / 64)) * 64 + centre((p) => p % 64));
      return Math.abs(data[middle]! - data[0]!) > 34;
    };
    expect([await filled(0), await filled(1)]).toEqual([true, false]);
  });
});
