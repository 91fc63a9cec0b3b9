import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { memoryFiles } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import encodePng, { init as initPng } from '@jsquash/png/encode.js';
import { gzipSync } from 'fflate';
import { createTar } from 'nanotar';
import { beforeAll, describe, expect, it } from 'vitest';
import { dataFolder } from '../../../test/fixtures.js';
import { images } from './images.js';
import { preprocess } from './preprocess.js';
import { labelsOf } from './subset.js';

const tone = new Map<number, Uint8Array>();

/** A PNG of one colour, grey where r, g and b agree (the encoder writes colour all the same). */
async function png(value: number, side = 2): Promise<Uint8Array> {
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (let p = 0; p < side * side; p++) data.fill(value, 4 * p, 4 * p + 3);
  return new Uint8Array(await encodePng({ data, width: side, height: side, colorSpace: 'srgb' } as ImageData));
}

beforeAll(async () => {
  const path = createRequire(import.meta.url).resolve('@jsquash/png/codec/pkg/squoosh_png_bg.wasm');
  await initPng(await WebAssembly.compile(await readFile(path)));
  for (const value of [10, 20, 30, 40]) tone.set(value, await png(value));
});

const tree = (prefix = '') =>
  new Map([
    [`${prefix}cat/a.png`, tone.get(10)!],
    [`${prefix}cat/._a.png`, new Uint8Array(3)],
    [`${prefix}cat/b.png`, tone.get(20)!],
    [`${prefix}dog/deep/c.png`, tone.get(30)!],
    [`${prefix}dog/d.png`, tone.get(40)!],
    [`${prefix}notes.txt`, new Uint8Array(3)],
  ]);
const archive = (content: ReadonlyMap<string, Uint8Array>) =>
  createTar([...content].map(([name, data]) => ({ name, data })));
const open = (content: ReadonlyMap<string, Uint8Array>, options: Parameters<typeof images>[0]) =>
  images(options)({ files: memoryFiles(new Map(content)), seed: 0 });

describe('images', () => {
  it.each([
    ['a folder', () => open(tree('data/'), { path: 'data' })],
    ['a tar archive', () => open(new Map([['x.tar', archive(tree())]]), { path: 'x.tar' })],
    [
      'a packed archive with a folder around all',
      () => open(new Map([['x.tgz', gzipSync(archive(tree('./set/')))]]), { path: 'x.tgz' }),
    ],
  ])('reads class folders from %s', async (_, load) => {
    const set = await load();
    expect(set.classes).toEqual(['cat', 'dog']);
    expect(await labelsOf(set)).toEqual(Int32Array.of(0, 0, 1, 1));
    expect(set.fields.get('image')).toEqual({ dtype: 'uint8', shape: [2, 2, 3] });
    const read = await set.read([3, 0]);
    expect([read.get('image')!.shape, read.get('image')!.data[0], read.get('image')!.data[12]]).toEqual([
      [2, 2, 2, 3],
      expect.any(Number),
      10,
    ]);
    expect(read.get('label')!.data).toEqual(Int32Array.of(1, 0));
  });

  it('reads a flat folder without labels', async () => {
    const set = await open(
      new Map([
        ['f/b.png', tone.get(20)!],
        ['f/a.png', tone.get(10)!],
      ]),
      { path: 'f' },
    );
    expect([...set.fields.keys()]).toEqual(['image']);
    expect((await set.read([0, 1])).get('image')!.data[12]).toBe(20);
  });

  it('reads one split of several', async () => {
    const both = new Map([...tree('d/train/'), ...tree('d/test/')]);
    expect((await open(both, { path: 'd', split: 'test' })).classes).toEqual(['cat', 'dog']);
    await expect(open(both, { path: 'd', split: 'val' })).rejects.toMatchObject({ code: 'DATA_EMPTY' });
  });

  it('draws a balanced few without decoding the others', async () => {
    const content = tree('d/');
    const set = await open(content, { path: 'd', take: 2 });
    expect([...(await labelsOf(set))].sort()).toEqual([0, 1]);
  });

  it('takes images of several sizes when they are made equal afterwards', async () => {
    const set = await open(
      new Map([
        ['f/a.png', await png(10, 2)],
        ['f/b.png', await png(20, 4)],
      ]),
      { path: 'f' },
    );
    expect(set.fields.get('image')!.shape).toEqual(['height', 'width', 3]);
    await expect(set.read([0, 1])).rejects.toMatchObject({ code: 'DATA_SHAPE' });
    const read = await preprocess(set, { resize: { height: 3, width: 3 }, scale: 1 }).read([0, 1]);
    expect([...read.get('image')!.data]).toEqual([...new Array(27).fill(10), ...new Array(27).fill(20)]);
  });

  it.each([
    [
      'images beside class folders',
      () =>
        new Map([
          ['f/a.png', tone.get(10)!],
          ['f/c/b.png', tone.get(20)!],
        ]),
      'DATA_SHAPE',
    ],
    ['no images', () => new Map([['f/a.txt', new Uint8Array(1)]]), 'DATA_EMPTY'],
    ['a file that is no archive', () => new Map([['f', tone.get(10)!]]), 'DATA_SHAPE'],
    ['an image that is none', () => new Map([['f/a.png', new Uint8Array(9)]]), 'DATA_IMAGE'],
    ['nothing', () => new Map(), 'FILE_MISSING'],
  ])('refuses %s', async (_, content, code) => {
    await expect(open(content(), { path: 'f' })).rejects.toMatchObject({ code });
  });
});

const data = dataFolder();

describe.skipIf(!data)('the CIFAR-10 test images as JPEG (skipped without the data folder)', () => {
  it('are balanced, and 10,000 decode to the mean that libjpeg gives', async () => {
    const set = await images({ path: 'cifar10/cifar10-test-jpg.tar.gz' })({ files: nodeFiles(data!), seed: 0 });
    const counts = new Array(10).fill(0);
    for (const label of await labelsOf(set)) counts[label]++;
    expect(counts).toEqual(new Array(10).fill(1000));
    let sum = 0;
    for (let at = 0; at < set.size; at += 500) {
      const read = await set.read(Array.from({ length: 500 }, (_, i) => at + i));
      for (const value of read.get('image')!.data as Uint8Array) sum += value;
    }
    expect(sum / set.size / 3072).toBeCloseTo(121.508, 2);
  });
});
