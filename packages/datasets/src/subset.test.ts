import { floats, type Tensor, tensor } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balancedOrder, labelsOf, shuffled, splitInTwo, subset, takeBalanced } from './subset.js';
import { tensorSet } from './tensor-set.js';

const labels = [0, 0, 0, 0, 0, 1, 1, 2, 2, 2];
const set = tensorSet({
  name: 'ten',
  fields: new Map<string, Tensor>([
    ['x', floats(labels.map((_, i) => i))],
    ['label', tensor('uint8', [10], Uint8Array.from(labels))],
  ]),
});
const values = async (dataset: typeof set) =>
  Array.from((await dataset.read(Array.from({ length: dataset.size }, (_, i) => i))).get('x')!.data as Float32Array);

describe('subset', () => {
  it('reads the chosen samples in their order, labels included', async () => {
    const chosen = subset(set, [9, 0, 5]);
    expect(await values(chosen)).toEqual([9, 0, 5]);
    expect(await labelsOf(chosen)).toEqual(Int32Array.of(2, 0, 1));
  });

  it('refuses samples that are not there', async () => {
    expect(() => subset(set, [10])).toThrow(expect.objectContaining({ code: 'DATA_INDEX' }));
    await expect(subset(set, [1]).read([1])).rejects.toMatchObject({ code: 'DATA_INDEX' });
    await expect(set.read([-1])).rejects.toMatchObject({ code: 'DATA_INDEX' });
    await expect(set.read([0.5])).rejects.toMatchObject({ code: 'DATA_INDEX' });
  });
});

describe('labelsOf', () => {
  it('reads labels where they are not known beforehand', async () => {
    const { name, size, fields, read } = set;
    expect(await labelsOf({ name, size, fields, read })).toEqual(Int32Array.from(labels));
  });

  it('says what the data has instead', async () => {
    const bare = tensorSet({ name: 'bare', fields: new Map<string, Tensor>([['x', floats([1])]]) });
    await expect(labelsOf(bare)).rejects.toThrow(/field `label`, found fields x/);
  });
});

describe('draws', () => {
  it('are balanced in every beginning, the same for a seed, and each other for another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 0, max: 1000 }),
        (list, seed) => {
          const all = Int32Array.from(list);
          const order = balancedOrder({ labels: all, size: all.length, seed });
          expect([...order].sort((a, b) => a - b)).toEqual(list.map((_, i) => i));
          expect(balancedOrder({ labels: all, size: all.length, seed })).toEqual(order);
          const least = Math.min(...[...new Set(list)].map((label) => list.filter((each) => each === label).length));
          const classes = new Set(list).size;
          const counts = new Map<number, number>();
          for (const index of order.subarray(0, least * classes)) {
            counts.set(list[index]!, (counts.get(list[index]!) ?? 0) + 1);
          }
          expect([...counts.values()].every((count) => count === least)).toBe(true);
        },
      ),
    );
    const many = new Int32Array(100);
    expect(balancedOrder({ labels: many, size: 100, seed: 1 })).not.toEqual(
      balancedOrder({ labels: many, size: 100, seed: 2 }),
    );
  });

  it('are nested: few samples are the first of many', async () => {
    const six = await values(takeBalanced(set, { count: 6, seed: 3 }));
    expect(await values(takeBalanced(set, { count: 3, seed: 3 }))).toEqual(six.slice(0, 3));
    expect(new Set(await labelsOf(takeBalanced(set, { count: 3, seed: 3 }))).size).toBe(3);
  });

  it('of more than there is are everything, in its own order', async () => {
    expect(await values(takeBalanced(set, { count: 99, seed: 3 }))).toEqual(await values(set));
  });

  it('shuffle without losing a sample', async () => {
    const order = await values(shuffled(set, 1));
    expect(order).not.toEqual(await values(set));
    expect(order.sort((a, b) => a - b)).toEqual(await values(set));
  });

  it('split into two parts without a sample in common', async () => {
    const [a, b] = splitInTwo(set, { share: 0.3, seed: 1 });
    expect([a.size, b.size]).toEqual([3, 7]);
    expect(new Set([...(await values(a)), ...(await values(b))]).size).toBe(10);
  });
});
