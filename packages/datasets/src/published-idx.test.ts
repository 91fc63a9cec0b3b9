import { createHash } from 'node:crypto';
import { memoryFiles } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/fixtures.js';
import type { DataStore } from './data-store.js';
import { fashionMnist } from './fashion-mnist.js';
import { mnist } from './mnist.js';
import type { PublishedFile } from './published-file.js';
import { labelsOf } from './subset.js';

/** A store that notes what it is asked for and gives small files. */
function fake(): { readonly store: DataStore; readonly asked: PublishedFile[] } {
  const asked: PublishedFile[] = [];
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 9, 8);
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1, 0);
  const fetch: DataStore['fetch'] = async (file) => {
    asked.push(file);
    return file.path.includes('images') ? images : labels;
  };
  return { store: { fetch }, asked };
}

describe('published sets', () => {
  it('ask the store for the two files of the split, mirror first', async () => {
    const { store, asked } = fake();
    const set = await fashionMnist({ split: 'train', mirror: 'https://mirror.example/fashion/' })({
      files: memoryFiles(),
      seed: 0,
      store,
    });
    expect([set.size, set.classes?.[9]]).toEqual([2, 'Ankle boot']);
    expect(asked.map(({ path }) => path)).toEqual([
      'fashion-mnist/train-images-idx3-ubyte.gz',
      'fashion-mnist/train-labels-idx1-ubyte.gz',
    ]);
    expect(asked[0]!.addresses).toEqual([
      'https://mirror.example/fashion/train-images-idx3-ubyte.gz',
      'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz',
    ]);
    expect([asked[0]!.bytes, asked[1]!.bytes]).toEqual([47040016, 60008]);
  });

  it('differ in names and checksums only', async () => {
    const [one, other] = [fake(), fake()];
    await fashionMnist()({ files: memoryFiles(), seed: 0, store: one.store });
    await mnist()({ files: memoryFiles(), seed: 0, store: other.store });
    expect(other.asked.map(({ path }) => path)).toEqual([
      'mnist/t10k-images-idx3-ubyte.gz',
      'mnist/t10k-labels-idx1-ubyte.gz',
    ]);
    expect(new Set([...one.asked, ...other.asked].map(({ sha256 }) => sha256)).size).toBe(4);
    expect([...one.asked, ...other.asked].every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
  });

  it('look among the given files before the store', async () => {
    const { store, asked } = fake();
    const files = memoryFiles(new Map([['fashion-mnist/t10k-images-idx3-ubyte', new Uint8Array(4)]]));
    await expect(fashionMnist()({ files, seed: 0, store })).rejects.toMatchObject({ code: 'DATA_CHECKSUM' });
    expect(asked).toEqual([]);
  });
});

const data = dataFolder();

describe.skipIf(!data)('Fashion-MNIST by name (skipped without the data folder)', () => {
  it('has the published content: balanced classes, the first labels, a known sum', async () => {
    const set = await fashionMnist({ split: 'test', take: 1000 })({ files: nodeFiles(data!), seed: 1 });
    const counts = new Array(10).fill(0);
    for (const label of await labelsOf(set)) counts[label]++;
    expect(counts).toEqual(new Array(10).fill(100));
    const again = await fashionMnist({ split: 'test', take: 1000 })({ files: nodeFiles(data!), seed: 1 });
    const digest = async (each: typeof set) =>
      createHash('sha256')
        .update((await each.read([0, 1, 2])).get('image')!.data as Uint8Array)
        .digest('hex');
    expect(await digest(again)).toBe(await digest(set));
  });
});
