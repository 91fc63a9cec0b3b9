import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGraph, createRandom, floats, type Graph, int, ints } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../command-line.js';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-analyze-'));
  await writeFile(join(folder, 'net.onnx'), Buffer.concat(encodeOnnx(network(1))));
  await writeFile(join(folder, 'moved.onnx'), Buffer.concat(encodeOnnx(network(1.25))));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Two convolutions and a classifier; `scale` makes the first one larger. */
function network(scale: number): Graph {
  const random = createRandom(3);
  const normal = (shape: readonly number[], factor: number) =>
    floats(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * factor),
      shape,
    );
  const b = buildGraph();
  const x = b.input('image', 'float32', ['batch', 3, 8, 8]);
  const first = b.add('Conv', [x, b.constant('first.weight', normal([6, 3, 3, 3], 0.3 * scale))], {
    name: 'first',
    attributes: { kernel_shape: ints([3, 3]) },
  });
  const second = b.add('Conv', [b.add('Relu', [first]), b.constant('second.weight', normal([4, 6, 1, 1], 0.3))], {
    name: 'second',
    attributes: { kernel_shape: ints([1, 1]) },
  });
  const flat = b.add('Flatten', [b.add('GlobalAveragePool', [second])], { attributes: { axis: int(1) } });
  b.output(b.add('MatMul', [flat, b.constant('head.weight', normal([4, 5], 1))], { name: 'scores' }));
  return b.finish();
}

async function run(...args: readonly string[]) {
  let out = '';
  let error = '';
  const code = await runCommandLine(['analyze', ...args, '--quiet'], {
    cwd: folder,
    environment: {},
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
    },
    terminal: false,
  });
  return { code, out, error };
}

const json = async (...args: readonly string[]) => {
  const { code, out, error } = await run(...args, '--json');
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return JSON.parse(out);
};

describe('analyze', () => {
  it('prints the documented JSON', async () => {
    const found = await json('net.onnx', '--bits', '2,4');
    expect(found).toMatchObject({
      espalierAnalysis: 1,
      input: { path: 'net.onnx', format: 'onnx' },
      options: { bits: [2, 4], granularity: 'tensor', groupSize: 32, form: 'full' },
      layers: null,
      drift: null,
      warnings: [],
    });
    expect(found.weights.map(({ weight }: { weight: string }) => weight)).toEqual([
      'first.weight',
      'second.weight',
      'head.weight',
    ]);
    expect(found.weights[0].bits[1]).toMatchObject({ bits: 4, prefer: 'quantize' });
    expect(found.weights[0].bits[1].quantization.channel.mseDb).toBeGreaterThan(15);
    expect(found.summary).toMatchObject([
      { bits: 2, quantize: 3, prune: 0 },
      { bits: 4, quantize: 3, prune: 0 },
    ]);
  });

  it('prints tables without --json', async () => {
    const { out } = await run('net.onnx', '--bits', '3..4');
    expect(out).toMatch(/bits\s+zeros\s+quantize\s+prune/);
    expect(out).toMatch(/first\.weight\s+6x3x3x3\s+\S+\s+\+\d/);
    expect(out).toMatch(/µJ a sample by a model \(Horowitz 2014, 45 nm\)/);
  });

  it('examines layers with bounds, on random numbers when no data is given, and says so', async () => {
    const found = await json('net.onnx', '--bounds', '--bits', '4', '--layers', 'first*', '--layers', 'head*');
    expect(found.layers).toMatchObject({ data: 'random:64', samples: 64, skipped: [] });
    expect(found.layers.layers.map(({ weight }: { weight: string }) => weight)).toEqual([
      'first.weight',
      'head.weight',
    ]);
    for (const { bits } of found.layers.layers) {
      expect(bits[0].quantization.boundDb).toBeGreaterThanOrEqual(bits[0].quantization.heuristicDb - 1e-6);
      expect(['quantization', 'pruning', 'undecided']).toContain(bits[0].verdict);
    }
    expect(found.warnings).toHaveLength(1);
    expect(found.warnings[0]).toContain('random numbers');
  });

  it('says how far a second model has drifted', async () => {
    const found = await json('net.onnx', '--against', 'moved.onnx', '--bits', '4', '--data', 'random:32');
    expect(found.drift).toMatchObject({ against: { path: 'moved.onnx' }, samples: 32, data: 'random:32' });
    expect(found.drift.layers[0]).toMatchObject({ value: 'first' });
    expect(found.drift.layers[0].snrDb).toBeCloseTo(20 * Math.log10(4), 2);
    expect(found.drift.layers[0].cka).toBeCloseTo(1, 4);
    expect(found.warnings).toEqual([]);
  });

  it('writes the report as JSON and as a page', async () => {
    const { out } = await run('net.onnx', '--bits', '4', '--report', 'report');
    expect(out).toContain('wrote report/analysis.html');
    expect((await readdir(join(folder, 'report'))).sort()).toEqual(['analysis.html', 'analysis.json']);
    const page = await readFile(join(folder, 'report/analysis.html'), 'utf8');
    expect(page).toContain('net.onnx: prune or quantize?');
    expect(JSON.parse(await readFile(join(folder, 'report/analysis.json'), 'utf8')).espalierAnalysis).toBe(1);
  });

  it('refuses flags that make no sense, with a code', async () => {
    for (const bits of ['9', '1..8', '2..', 'four', '2...8', '']) {
      expect((await run('net.onnx', '--bits', bits)).error).toMatch(/^FLAG_INVALID: --bits: expected whole numbers/);
    }
    expect((await run('net.onnx', '--granularity', 'row')).error).toMatch(/FLAG_INVALID: --granularity/);
    expect((await run('nothing.onnx')).code).toBe(1);
    const none = await json('net.onnx', '--bits', '4', '--layers', 'nothing*');
    expect(none.weights).toEqual([]);
    expect(none.warnings[0]).toContain('No weight');
  });
});
