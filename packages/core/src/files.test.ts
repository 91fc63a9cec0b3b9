import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { beside, type Files, folderOf, joinBytes, memoryFiles, pathParts } from './files.js';
import { nodeFiles } from './node-files.js';

const made: string[] = [];
async function temporary(): Promise<string> {
  made.push(await mkdtemp(join(tmpdir(), 'espalier-files-')));
  return made.at(-1)!;
}
afterAll(() => Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true }))));

const bytes = (...values: readonly number[]) => Uint8Array.from(values);
const failing = async function* () {
  yield bytes(9, 9);
  throw new Error('disk on fire');
};
const code = (value: string) => expect.objectContaining({ code: value });

describe.each([
  ['memory', async () => memoryFiles()],
  ['disk', async () => nodeFiles(await temporary())],
] as const)('files in %s', (_, open) => {
  let files: Files;
  beforeEach(async () => {
    files = await open();
    await files.write('a/model.bin', [bytes(1, 2), bytes(), bytes(3, 4, 5)]);
  });

  it('hold what was written, in whole and in ranges', async () => {
    expect([...(await files.read('a/model.bin'))]).toEqual([1, 2, 3, 4, 5]);
    expect([...(await files.read('a/model.bin', { offset: 1, length: 3 }))]).toEqual([2, 3, 4]);
    expect(await files.read('a/model.bin', { offset: 5, length: 0 })).toHaveLength(0);
    expect(await files.size('./a//model.bin')).toBe(5);
    expect(await files.size('a')).toBeUndefined();
    expect(await files.size('b')).toBeUndefined();
  });

  it('take chunks that arrive over time', async () => {
    await files.write(
      'late',
      (async function* () {
        yield bytes(1);
        yield bytes(2);
      })(),
    );
    expect([...(await files.read('late'))]).toEqual([1, 2]);
  });

  it('keep the old file when writing the new one fails', async () => {
    await expect(files.write('a/model.bin', failing())).rejects.toThrow('disk on fire');
    expect([...(await files.read('a/model.bin'))]).toEqual([1, 2, 3, 4, 5]);
    expect(await files.list('a')).toEqual(['model.bin']);
  });

  it('are listed sorted, folders with a slash', async () => {
    await files.write('a/z/deep', [bytes(1)]);
    await files.write('a/b', [bytes(1)]);
    expect(await files.list('a')).toEqual(['b', 'model.bin', 'z/']);
    expect(await files.list('')).toEqual(['a/']);
    await expect(files.list('nothing')).rejects.toThrow(code('FILE_MISSING'));
  });

  it('are moved and removed', async () => {
    await files.write('b', [bytes(7)]);
    await files.move('b', 'a/model.bin');
    expect([...(await files.read('a/model.bin'))]).toEqual([7]);
    await expect(files.read('b')).rejects.toThrow(code('FILE_MISSING'));
    await expect(files.move('b', 'c')).rejects.toThrow(code('FILE_MISSING'));
    await files.remove('a');
    expect(await files.size('a/model.bin')).toBeUndefined();
    await files.remove('a');
  });

  it('refuse ranges beyond the end, however large', async () => {
    const bad = [
      [0, 6],
      [6, 0],
      [-1, 2],
      [2, -1],
      [2 ** 52, 2 ** 52],
      [0, 2 ** 53],
      [Number.NaN, 1],
      [0, Number.NaN],
      [0.5, 1],
      [4, Number.POSITIVE_INFINITY],
    ];
    for (const [offset, length] of bad) {
      await expect(files.read('a/model.bin', { offset: offset!, length: length! })).rejects.toThrow(code('FILE_RANGE'));
    }
    await expect(files.read('a/model.bin', { offset: 3, length: 4 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: a/model.bin: expected bytes 3 to 7, found a file of 5 bytes. The file is truncated, or the reference to it is wrong.]`,
    );
  });

  it('stay in their folder', async () => {
    for (const path of ['../x', 'a/../../x', '/etc/passwd', '\\x', 'C:\\x', 'c:x', 'a\\..\\..\\x', 'x\0y']) {
      await expect(files.read(path)).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.write(path, [])).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.remove(path)).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.move('a/model.bin', path)).rejects.toThrow(code('FILE_OUTSIDE'));
    }
    await expect(files.read('../x')).rejects.toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: ../x: expected a relative path inside the folder, found an absolute path, a "..", a link that leaves it, or the folder itself. Move the file into the folder.]`,
    );
    expect(await files.size('a/model.bin')).toBe(5);
  });

  it('never write, move or remove the folder itself', async () => {
    for (const path of ['', '.', './']) {
      await expect(files.write(path, [])).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.remove(path)).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.move('a/model.bin', path)).rejects.toThrow(code('FILE_OUTSIDE'));
    }
    expect(await files.size('a/model.bin')).toBe(5);
  });

  it('say which file is missing', async () => {
    await expect(files.read('nothing.onnx')).rejects.toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: nothing.onnx: expected a file, found nothing. Check the path.]`,
    );
    await expect(files.read('a')).rejects.toThrow(code('FILE_MISSING'));
  });
});

describe('files on disk', () => {
  it('are replaced as a whole and leave no temporary files', async () => {
    const root = await temporary();
    const files = nodeFiles(root);
    await files.write('m', [bytes(1)]);
    await files.write('m', [bytes(2, 3)]);
    await expect(files.write('m', failing())).rejects.toThrow();
    expect(await readdir(root)).toEqual(['m']);
    expect([...(await readFile(join(root, 'm')))]).toEqual([2, 3]);
  });

  it('show the old file to a reader until the new one is complete', async () => {
    const files = nodeFiles(await temporary());
    await files.write('m', [bytes(1)]);
    const seen: number[][] = [];
    await files.write(
      'm',
      (async function* () {
        yield bytes(2);
        seen.push([...(await files.read('m'))]);
        yield bytes(3);
        seen.push([...(await files.read('m'))]);
      })(),
    );
    expect(seen).toEqual([[1], [1]]);
    expect([...(await files.read('m'))]).toEqual([2, 3]);
  });

  it('are not reached through links that leave the folder', async () => {
    const [root, outside] = [await temporary(), await temporary()];
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(join(outside, 'secret'), join(root, 'file'));
    await symlink(outside, join(root, 'folder'));
    await symlink(join(outside, 'new'), join(root, 'dangling'));
    const files = nodeFiles(root);
    for (const path of ['file', 'folder/secret', 'dangling', 'folder/new']) {
      await expect(files.read(path)).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.write(path, [bytes(1)])).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.remove(path)).rejects.toThrow(code('FILE_OUTSIDE'));
      await expect(files.size(path)).rejects.toThrow(code('FILE_OUTSIDE'));
    }
    await expect(files.list('folder')).rejects.toThrow(code('FILE_OUTSIDE'));
    expect(await readdir(outside)).toEqual(['secret']);
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('are reached through links that stay in the folder, and when the folder itself is a link', async () => {
    const [root, other] = [await temporary(), await temporary()];
    await mkdir(join(root, 'real'));
    await writeFile(join(root, 'real/m'), 'abc');
    await symlink(join(root, 'real/m'), join(root, 'm'));
    await symlink(root, join(other, 'root'));
    expect(await nodeFiles(root).read('m')).toHaveLength(3);
    expect(await nodeFiles(join(other, 'root')).read('real/m', { offset: 1, length: 2 })).toHaveLength(2);
  });

  it('are made in folders that are not there yet', async () => {
    const root = join(await temporary(), 'new');
    await nodeFiles(root).write('deep/down/m', [bytes(1)]);
    expect(await readdir(join(root, 'deep/down'))).toEqual(['m']);
  });

  it('may have absolute paths when the caller does not confine them', async () => {
    const [root, other] = [await temporary(), await temporary()];
    await writeFile(join(other, 'm'), 'abc');
    expect(await nodeFiles(root, { confine: false }).read(join(other, 'm'))).toHaveLength(3);
  });

  it('are read far beyond 2 GiB', async () => {
    const root = await temporary();
    await writeFile(join(root, 'sparse'), '');
    await truncate(join(root, 'sparse'), 5 * 2 ** 30);
    const files = nodeFiles(root);
    expect(await files.size('sparse')).toBe(5 * 2 ** 30);
    expect(await files.read('sparse', { offset: 5 * 2 ** 30 - 4, length: 4 })).toHaveLength(4);
    await expect(files.read('sparse', { offset: 5 * 2 ** 30 - 4, length: 5 })).rejects.toThrow(code('FILE_RANGE'));
  });

  it.skipIf(process.platform === 'win32')('are not pipes: reading one fails at once', async () => {
    const root = await temporary();
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await expect(nodeFiles(root).read('pipe')).rejects.toThrow(code('FILE_MISSING'));
  });
});

describe('paths', () => {
  it('are split, joined and found beside each other', () => {
    expect(pathParts('./a//b\\c/')).toEqual(['a', 'b', 'c']);
    expect(folderOf('a/b/c')).toBe('a/b');
    expect(folderOf('c')).toBe('');
    expect(beside('a/model.onnx', 'w.bin')).toBe('a/w.bin');
    expect(beside('model.onnx', 'w.bin')).toBe('w.bin');
  });

  it('join bytes without copying a single part', () => {
    const one = bytes(1, 2);
    expect(joinBytes([one])).toBe(one);
    expect([...joinBytes([one, bytes(), bytes(3)])]).toEqual([1, 2, 3]);
    expect(joinBytes([])).toHaveLength(0);
  });
});

describe('within', () => {
  it('confines what an unconfined set of files gives for a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'espalier-within-'));
    await writeFile(join(folder, 'secret'), 'secret');
    await mkdir(join(folder, 'model'));
    await writeFile(join(folder, 'model', 'weights'), 'weights');
    const inner = nodeFiles(folder, { confine: false }).within!('model/');
    expect(new TextDecoder().decode(await inner.read('weights'))).toBe('weights');
    await expect(inner.read('../secret')).rejects.toThrow(/FILE_OUTSIDE|inside the folder/);
    await symlink(join(folder, 'secret'), join(folder, 'model', 'link'));
    await expect(inner.read('link')).rejects.toThrow(/inside the folder|a file/);
    await rm(folder, { recursive: true });
  });
});
