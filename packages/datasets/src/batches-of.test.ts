import { type Dataset, floats, type Tensor, tensor } from '@espalier/core';
import { describe, expect, it } from 'vitest';
import { batchesOf } from './batches-of.js';
import { tensorSet } from './tensor-set.js';

const five = tensorSet({
  name: 'five',
  fields: new Map<string, Tensor>([
    ['x', floats([0, 1, 2, 3, 4])],
    ['label', tensor('uint8', [5], new Uint8Array(5))],
  ]),
});
const collect = async (batches: AsyncIterable<ReadonlyMap<string, Tensor>>) => {
  const out: number[][] = [];
  for await (const batch of batches) out.push(Array.from(batch.get('x')!.data as Float32Array));
  return out;
};

describe('batchesOf', () => {
  it('feeds all fields but the label, in order, the rest last; each call anew', async () => {
    const batches = batchesOf(five, { batch: 2 });
    expect(await collect(batches())).toEqual([[0, 1], [2, 3], [4]]);
    expect(await collect(batches())).toEqual([[0, 1], [2, 3], [4]]);
    for await (const batch of batches()) expect([...batch.keys()]).toEqual(['x']);
  });

  it('leaves out a last batch that is not full where asked', async () => {
    expect(await collect(batchesOf(five, { batch: 2, dropLast: true })())).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await collect(batchesOf(five, { batch: 9, dropLast: true })())).toEqual([]);
  });

  it('reads one batch ahead, and no more', async () => {
    const reads: number[] = [];
    const watched: Dataset = {
      ...five,
      read(indices) {
        reads.push(indices[0]!);
        return five.read(indices);
      },
    };
    const iterator = batchesOf(watched, { batch: 1 })()[Symbol.asyncIterator]();
    await iterator.next();
    expect(reads).toEqual([0, 1]);
    await iterator.return?.();
  });

  it('passes failures on to the consumer', async () => {
    const broken: Dataset = {
      ...five,
      read: async (indices) => (indices[0] === 0 ? five.read(indices) : Promise.reject(new Error('gone'))),
    };
    await expect(collect(batchesOf(broken, { batch: 2 })())).rejects.toThrow('gone');
  });

  it('refuses sizes and fields that make no sense', () => {
    expect(() => batchesOf(five, { batch: 0 })).toThrow(expect.objectContaining({ code: 'DATA_SPEC' }));
    expect(() => batchesOf(five, { batch: 1, feeds: ['y'] })).toThrow(expect.objectContaining({ code: 'DATA_EMPTY' }));
  });
});
