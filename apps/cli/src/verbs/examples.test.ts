import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { buildGraph, createRandom, floats, int } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIn } from '../../test/run-in.js';
import { verbs } from './index.js';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-examples-'));
  const net = Buffer.concat(encodeOnnx(network()));
  await writeFile(join(folder, 'model.onnx'), net);
  await writeFile(join(folder, 'recipe.yaml'), recipe);
  for (const place of ['photos', 'labelled/cat', 'labelled/dog']) {
    await mkdir(join(folder, place), { recursive: true });
    for (let i = 0; i < 12; i++) await writeFile(join(folder, place, `${i}.png`), png(40, i + place.length));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const recipe = `espalier: 1
model: { use: lenet5, with: { classes: 10, size: 16, channels: 3 } }
data:
  training: { use: synthetic, with: { split: train, take: 64 } }
steps:
  - train: { use: finetune, with: { epochs: 1, batch: 32, learningRate: 0.05 } }
`;

/** Two classes of images of any size. */
function network() {
  const random = createRandom(2);
  const normal = (shape: readonly number[]) =>
    floats(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() / 4),
      shape,
    );
  const b = buildGraph();
  const x = b.input('image', 'float32', ['batch', 3, 'height', 'width']);
  const features = b.add('Relu', [b.add('Conv', [x, b.constant('w', normal([8, 3, 3, 3]))], { name: 'conv' })]);
  const pooled = b.add('Flatten', [b.add('GlobalAveragePool', [features])], { attributes: { axis: int(1) } });
  b.output(b.add('Gemm', [pooled, b.constant('v', normal([8, 2])), b.constant('c', normal([2]))], { name: 'logits' }));
  return b.finish();
}

/** A grey-striped RGB image. */
function png(size: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const rows = Buffer.alloc(size * (1 + 3 * size));
  for (let y = 0; y < size; y++) rows.fill(random.below(256), y * (1 + 3 * size) + 1, (y + 1) * (1 + 3 * size));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), ...parts]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** CRC-32 as PNG has it. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}

/** The words of a command line, without the redirection of its output. */
const wordsOf = (line: string) =>
  line
    .replace(/ > .*$/, '')
    .split(' ')
    .slice(1);

describe('the examples in the help of', () => {
  // In this order: compare reads what compress wrote.
  it.each(verbs.map((verb) => [verb.name, verb] as const))(
    '%s are two or more, shown, and run',
    async (name, { examples }) => {
      expect(examples.length).toBeGreaterThanOrEqual(2);
      const help = await runIn(folder, [name, '--help']);
      expect(help.code).toBe(0);
      for (const example of examples) {
        expect(help.out).toContain(`  ${example}\n`);
        expect(example).toMatch(new RegExp(`^espalier ${name}`));
        const { code, error } = await runIn(folder, [...wordsOf(example), '--quiet']);
        expect({ example, code, error }).toEqual({ example, code: 0, error: '' });
      }
    },
    120_000,
  );
});
