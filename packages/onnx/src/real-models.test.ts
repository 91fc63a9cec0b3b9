import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { createRandom, joinBytes } from '@espalier/core';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { decodeOnnx } from './decode-onnx.js';
import { encodeOnnx } from './encode-onnx.js';

const folder = modelsFolder();
const topologies = ['squeezenet1_1', 'shufflenet_v2_x0_5', 'mnasnet0_5'].map((name) => `topologies/${name}.onnx.gz`);
const models = folder ? [...readdirSync(folder).filter((name) => name.endsWith('.onnx')), ...topologies] : [];

function bytesOf(name: string): Uint8Array {
  const bytes = readFileSync(`${folder}/${name}`);
  return new Uint8Array(name.endsWith('.gz') ? gunzipSync(bytes) : bytes);
}

/** Seeded inputs of a session; unknown sizes are 1, rates and states as the voice model wants them. */
function feedsOf(session: ort.InferenceSession): Record<string, ort.Tensor> {
  const random = createRandom(3);
  const feeds: Record<string, ort.Tensor> = {};
  for (const meta of session.inputMetadata) {
    if (!meta.isTensor) throw new Error(`${meta.name} is not a tensor`);
    const shape = meta.shape.map((dim, i) =>
      typeof dim === 'number' ? dim : meta.name === 'input' && i === 1 ? 512 : 1,
    );
    const size = shape.reduce((product, dim) => product * dim, 1);
    feeds[meta.name] =
      meta.type === 'int64'
        ? new ort.Tensor(
            'int64',
            BigInt64Array.from({ length: size }, () => 16000n),
            shape,
          )
        : new ort.Tensor(
            'float32',
            Float32Array.from({ length: size }, () => random.next()),
            shape,
          );
  }
  return feeds;
}

/** Weights that are inputs too may be overridden, so onnxruntime fuses nothing into them; once constants, it does. */
const optimization = (name: string) => (name.startsWith('ultraface') ? 'disabled' : 'all');

const digest = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

async function run(bytes: Uint8Array, name: string): Promise<Record<string, string>> {
  const session = await ort.InferenceSession.create(bytes, {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
    graphOptimizationLevel: optimization(name),
  });
  const outputs = await session.run(feedsOf(session));
  // Comparing digests is comparing bits, and much faster than comparing elements.
  const found = Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, digest(data as Float32Array)]),
  );
  await session.release();
  return found;
}

describe.skipIf(!folder)('real models (need ESPALIER_MODELS)', () => {
  test.each(models)('%s computes the same bits after a round trip', async (name) => {
    const original = bytesOf(name);
    const written = joinBytes(encodeOnnx(decodeOnnx(original, { where: name })));
    const before = await run(original, name);
    expect(Object.keys(before).length).toBeGreaterThan(0);
    expect(await run(written, name)).toEqual(before);
  });

  test.each(topologies)('%s, as PyTorch wrote it, is written byte for byte as it was', (name) => {
    const original = bytesOf(name);
    expect(Buffer.compare(joinBytes(encodeOnnx(decodeOnnx(original))), original)).toBe(0);
  });
});
