import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, EspalierError, type Files, type Graph, joinBytes, memoryFiles } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { expect, test } from 'vitest';
import { mutations } from '../test/mutate.js';
import { block, float32, model, number } from '../test/protobuf.js';
import { sameGraph } from '../test/same-graph.js';
import { weightsGraph } from '../test/weights-graph.js';
import { decodeOnnx } from './decode-onnx.js';
import { encodeOnnx } from './encode-onnx.js';
import { readOnnx } from './read-onnx.js';

const entry = (key: string, value: string) => block(13, [...block(1, key), ...block(2, value)]);
/** A model with one float32[2] weight in another file. */
const external = (entries: Readonly<Record<string, string>>) =>
  model([
    ...block(5, [
      ...number(1, 2),
      ...number(2, 1),
      ...block(8, 'w'),
      ...Object.entries(entries).flatMap(([key, value]) => entry(key, value)),
      ...number(14, 1),
    ]),
    ...block(12, block(1, 'w')),
  ]);
const filesOf = (content: Readonly<Record<string, ArrayLike<number>>>) =>
  memoryFiles(new Map(Object.entries(content).map(([path, bytes]) => [path, Uint8Array.from(bytes)])));
const code = (wanted: string, message = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) });

test('a range of a file beside the model is read', async () => {
  const files = filesOf({
    'models/a.onnx': external({ location: 'data/w.bin', offset: '4', length: '8', checksum: 'not compared' }),
    'models/data/w.bin': [0, 0, 0, 0, ...float32(1), ...float32(2), 9],
  });
  const graph = await readOnnx(files, 'models/a.onnx');
  expect(graph.constants.get('w')).toEqual({ dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) });
});

test('without offset and length the weight takes what it needs from the beginning', async () => {
  const files = filesOf({ 'a.onnx': external({ location: './w.bin' }), 'w.bin': [...float32(3), ...float32(4), 1] });
  expect((await readOnnx(files, 'a.onnx')).constants.get('w')?.data).toEqual(new Float32Array([3, 4]));
});

test.each(['../w.bin', '/etc/passwd', 'C:\\w.bin', '\\\\host\\w.bin', 'a/../../w.bin', '', '.', 'w\0.bin'])(
  'the location %j is refused before any file is opened',
  async (location) => {
    const opened: string[] = [];
    const inner = filesOf({ 'm/a.onnx': external({ location }) });
    const files: Files = {
      ...inner,
      size(path) {
        opened.push(path);
        return inner.size(path);
      },
      read(path, range) {
        opened.push(path);
        return inner.read(path, range);
      },
    };
    await expect(readOnnx(files, 'm/a.onnx')).rejects.toThrow(code('ONNX_EXTERNAL_PATH', /graph\.initializer\[0\]/));
    expect(new Set(opened)).toEqual(new Set(['m/a.onnx']));
  },
);

test('a missing file, a short one, and numbers that do not fit are errors', async () => {
  const reading = (entries: Readonly<Record<string, string>>) =>
    readOnnx(filesOf({ 'a.onnx': external(entries), 'w.bin': [1, 2, 3, 4, 5, 6, 7, 8] }), 'a.onnx');
  await expect(reading({ location: 'gone.bin' })).rejects.toThrow(code('ONNX_EXTERNAL_MISSING', /gone\.bin/));
  await expect(reading({ location: 'w.bin', offset: '1' })).rejects.toThrow(
    code('ONNX_EXTERNAL_MISSING', /bytes 1 to 9 .*a file of 8 bytes/),
  );
  await expect(reading({ location: 'w.bin', length: '4' })).rejects.toThrow(code('ONNX_MALFORMED', /8 bytes/));
  await expect(reading({ location: 'w.bin', offset: '-1' })).rejects.toThrow(code('ONNX_MALFORMED', /offset/));
  await expect(reading({ location: 'w.bin', offset: '1e3' })).rejects.toThrow(code('ONNX_MALFORMED', /offset/));
});

test('overlapping ranges cannot ask for more than twice the file', async () => {
  const weight = (i: number) =>
    block(5, [
      ...number(1, 2),
      ...number(2, 1),
      ...block(8, `w${i}`),
      ...entry('location', 'w.bin'),
      ...entry('offset', `${i}`),
      ...number(14, 1),
    ]);
  const bytes = model([...weight(0), ...weight(1), ...weight(2), ...weight(3)]);
  await expect(readOnnx(filesOf({ 'a.onnx': bytes, 'w.bin': new Uint8Array(12) }), 'a.onnx')).rejects.toThrow(
    code('ONNX_LIMIT', /twice its size/),
  );
});

test('a link out of the folder is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-onnx-'));
  const outside = await mkdtemp(join(tmpdir(), 'espalier-onnx-'));
  try {
    await writeFile(join(outside, 'w.bin'), new Uint8Array(8));
    await writeFile(join(folder, 'a.onnx'), external({ location: 'w.bin' }));
    await symlink(join(outside, 'w.bin'), join(folder, 'w.bin'));
    await expect(readOnnx(nodeFiles(folder), 'a.onnx')).rejects.toThrow(code('ONNX_EXTERNAL_PATH', /leaves it/));
  } finally {
    await rm(folder, { recursive: true });
    await rm(outside, { recursive: true });
  }
});

test('a missing model is an error of the files', async () => {
  await expect(readOnnx(memoryFiles(), 'a.onnx')).rejects.toThrow(code('FILE_MISSING'));
});

/** Files that count how much is read, and give every range memory of its own, as a disk does. */
function disk(bytes: Uint8Array) {
  const inner = memoryFiles(new Map([['a.onnx', bytes]]));
  const seen = { read: 0, largest: 0 };
  const files: Files = {
    ...inner,
    async read(path, range) {
      const found = await inner.read(path, range);
      seen.read += found.length;
      seen.largest = Math.max(seen.largest, found.length);
      return found.slice();
    },
  };
  return { files, seen };
}

test('a large file is read weight by weight, each into memory of its own', async () => {
  const graph = weightsGraph([1_000_000, 300_000, 20_000, 7, 500_001]);
  const bytes = joinBytes(encodeOnnx(graph));
  const { files, seen } = disk(bytes);
  expect(sameGraph(await readOnnx(files, 'a.onnx'), graph)).toBe(true);
  expect(seen.largest).toBe(4_000_000);
  expect(seen.read).toBeLessThan(bytes.length + 500_000);
});

test('reading weight by weight and reading the whole give the same graph or the same error, also for damaged files', async () => {
  const bytes = joinBytes(encodeOnnx(weightsGraph([600_000, 17_000, 400_000, 3, 20_000])));
  const random = createRandom(5);
  const outcomes = new Set<string>();
  for (let i = 0; i < 120; i++) {
    // The damage goes to the heads of fields, which all stand in the first and last bytes of each weight.
    const damaged = i === 0 ? bytes : damageHeads(bytes, i, random);
    const whole = await outcomeOf(async () => decodeOnnx(damaged, { where: 'a.onnx' }));
    const parts = await outcomeOf(() => readOnnx(disk(damaged).files, 'a.onnx'));
    if (typeof whole === 'string' || typeof parts === 'string') expect(parts).toBe(whole);
    else expect(sameGraph(parts, whole)).toBe(true);
    outcomes.add(typeof whole === 'string' ? whole.slice(0, 12) : 'read');
  }
  expect(outcomes.size).toBeGreaterThan(2);
}, 30_000);

function damageHeads(bytes: Uint8Array, i: number, random: ReturnType<typeof createRandom>): Uint8Array {
  const mutation = mutations[i % mutations.length]!;
  const out = bytes.slice();
  const heads = joinBytes([bytes.subarray(0, 400), bytes.subarray(-400)]);
  const damaged = mutation.apply(heads, random, heads);
  return joinBytes([damaged.subarray(0, 400), out.subarray(400, -400), damaged.subarray(400)]);
}

async function outcomeOf(read: () => Promise<Graph>): Promise<Graph | string> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof EspalierError) return `${error.code} ${error.message}`;
    throw error;
  }
}
