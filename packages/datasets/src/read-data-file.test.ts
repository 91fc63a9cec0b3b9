import { memoryFiles } from '@espalier/core';
import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { gunzip, readDataFile } from './read-data-file.js';

const plain = Uint8Array.from({ length: 10_000 }, (_, i) => (i * i) % 251);

describe('gunzip', () => {
  it('gives back what was packed', async () => {
    expect(await gunzip(gzipSync(plain), { where: 'x' })).toEqual(plain);
  });

  it('stops a bomb at the limit', async () => {
    const bomb = gzipSync(new Uint8Array(2 ** 24));
    await expect(gunzip(bomb, { where: 'bomb.gz', limit: 2 ** 20 })).rejects.toMatchObject({
      code: 'DATA_LIMIT',
      message: expect.stringContaining('bomb.gz'),
    });
  });

  it.each([
    ['cut short', gzipSync(plain).subarray(0, 150)],
    ['damaged', gzipSync(plain).map((byte, i) => (i > 100 && i < 120 ? byte ^ 0x55 : byte))],
    ['only a header', Uint8Array.of(0x1f, 0x8b)],
  ])('refuses a file that is %s', async (_, bytes) => {
    await expect(gunzip(bytes, { where: 'x.gz' })).rejects.toMatchObject({ code: 'DATA_FORMAT' });
  });
});

describe('readDataFile', () => {
  it('unpacks by content, not by name', async () => {
    const files = memoryFiles(
      new Map([
        ['a', gzipSync(plain)],
        ['b.gz', plain],
      ]),
    );
    expect(await readDataFile(files, 'a')).toEqual(plain);
    expect(await readDataFile(files, 'b.gz')).toEqual(plain);
  });

  it('says when there is no file, and when it is too large to read', async () => {
    const files = memoryFiles(new Map([['a', plain]]));
    await expect(readDataFile(files, 'b')).rejects.toMatchObject({ code: 'FILE_MISSING' });
    await expect(readDataFile(files, 'a', 1000)).rejects.toMatchObject({ code: 'DATA_LIMIT' });
  });
});
