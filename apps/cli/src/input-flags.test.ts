import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGraph, createRandom, floats } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIn } from '../test/run-in.js';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-inputs-'));
  await writeFile(join(folder, 'net.onnx'), Buffer.concat(encodeOnnx(network())));
  await writeFile(join(folder, 'gain.npy'), npyOf([1], [3]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A convolution on images of any height and width, times a gain. */
function network() {
  const random = createRandom(1);
  const b = buildGraph();
  const x = b.input('image', 'float32', ['batch', 3, 'height', 'width']);
  const gain = b.input('gain', 'float32', [1]);
  const weight = floats(
    Float32Array.from({ length: 8 * 27 }, () => random.normal()),
    [8, 3, 3, 3],
  );
  b.output(b.add('Mul', [b.add('Conv', [x, b.constant('w', weight)], { name: 'conv' }), gain], { name: 'y' }));
  return b.finish();
}

/** An NPY file of float32 numbers. */
function npyOf(shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`.padEnd(117).concat('\n');
  const head = [0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8];
  return Buffer.concat([Buffer.from(head), Buffer.from(header), Buffer.from(Float32Array.from(values).buffer)]);
}

const json = async (...args: readonly string[]) => {
  const { code, out, error } = await runIn(folder, [...args, '--json', '--quiet']);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return JSON.parse(out);
};
const error = async (...args: readonly string[]) => (await runIn(folder, [...args, '--quiet'])).error;

describe('--dims and --input', () => {
  it('settle sizes in compress, and the report says what was fed', async () => {
    const args = ['compress', 'net.onnx', '-o', 'small.onnx', '--preset', 'fp16', '--dims', 'height=40,width=24'];
    const { fed } = await json(...args, '--input', 'gain=2');
    expect(fed.inputs).toEqual(['image float32[1,3,40,24] normal random numbers', 'gain float32[1] 2 everywhere']);
  });

  it('settle sizes in compare, where names of either model count', async () => {
    const { fed } = await json('compare', 'net.onnx', 'net.onnx', '--no-latency', '--dims', 'image[2]=9');
    expect(fed.inputs[0]).toMatch(/^image float32\[\d+,3,9,\d+\]/);
  });

  it('take an array for an input, from a NumPy file', async () => {
    const { fed } = await json('compare', 'net.onnx', 'net.onnx', '--no-latency', '--input', 'gain=gain.npy');
    expect(fed.inputs[1]).toBe('gain float32[1] as given');
  });

  it('give inspect the sizes at which it counts', async () => {
    const { macs, inputs } = await json('inspect', 'net.onnx', '--input', 'image=1x3x10x12');
    expect(macs).toBe(8 * 27 * 8 * 10);
    expect(inputs[0].shape).toEqual(['batch', 3, 'height', 'width']);
    expect((await runIn(folder, ['inspect', 'net.onnx', '--dims', 'width=12,height=10', '--quiet'])).out).toMatch(
      /MACs +17,280\n[\s\S]*sizes +MACs and activations are those at .*height = 10/,
    );
  });

  it('write fixed sizes with convert', async () => {
    const { loaded } = await json('convert', 'net.onnx', '-o', 'fixed.onnx', '--dims', 'height=20,width=30');
    expect(loaded).toBe(true);
    expect((await json('inspect', 'fixed.onnx')).inputs[0].shape).toEqual(['batch', 3, 20, 30]);
  });

  it('refuse names that the model does not have, and values that are none', async () => {
    expect(await error('compare', 'net.onnx', 'net.onnx', '--dims', 'heigth=3')).toMatch(
      /^INPUT_UNKNOWN: --dims: expected one of batch, height, width, found "heigth". Did you mean "height"/,
    );
    expect(await error('inspect', 'net.onnx', '--input', 'gian=3')).toMatch(/Did you mean "gain"/);
    expect(await error('inspect', 'net.onnx', '--dims', 'height=0')).toMatch(/^FLAG_INVALID: --dims/);
    expect(await error('inspect', 'net.onnx', '--input', 'image=3x4')).toMatch(/^INPUT_SHAPE: --input image: .*4 axes/);
  });
});

describe('errors of a compression', () => {
  const preset = ['--preset', 'int8', '--calibration'];

  it('are measured on samples that were not calibrated on', async () => {
    const { fed, comparison } = await json('compress', 'net.onnx', '-o', 'q.onnx', ...preset, 'random:12');
    expect([fed.role, comparison.samples]).toEqual(['held-out', 64]);
  });
});
