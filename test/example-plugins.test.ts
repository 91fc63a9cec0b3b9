import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildGraph, createRandom, floats, type Graph, indexOf, toNumbers } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { encodeOnnx, readOnnx } from '@espalier/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { denseNet } from './dense-net.js';
import { gatedNet } from './gated-net.js';
import { packPlugins } from './pack-plugin.js';
import { root } from './workspace.js';

const exec = promisify(execFile);
let folder = '';

// A folder of somebody who knows the packed example plugins and the built command line alone.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-plugin-'));
  const tarballs = await packPlugins(folder);
  await writeFile(join(folder, 'package.json'), '{ "name": "somebody", "private": true, "type": "module" }');
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await exec('npm', ['install', ...flags, ...tarballs], { cwd: folder });
  await exec(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'apps/cli')]);
  await copyFile(join(root, 'test/dense-runtime.js'), join(folder, 'dense-runtime.js'));
  const models = {
    perceptron: perceptron(),
    gated: gatedNet(),
    dense: denseNet(),
    zeros: denseNet([1, 0, 3, 4, 0, 6]),
  };
  for (const [name, graph] of Object.entries(models))
    await writeFile(join(folder, `${name}.onnx`), Buffer.concat(encodeOnnx(graph)));
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function perceptron(): Graph {
  const random = createRandom(11);
  const b = buildGraph();
  const w = floats(
    Float32Array.from({ length: 64 * 32 }, () => random.normal()),
    [64, 32],
  );
  const x = b.input('x', 'float32', ['batch', 64]);
  b.output(b.add('Relu', [b.add('MatMul', [x, b.constant('w', w)])], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: ['batch', 32] });
  return b.finish();
}

/** Runs the built command line in a process of its own, as a user does, and returns the JSON that it prints. */
async function espalier<T>(...line: readonly string[]): Promise<T> {
  const { stdout, stderr } = await exec(
    process.execPath,
    [join(root, 'apps/cli/dist/main.js'), ...line, '--json', '--quiet'],
    { cwd: folder, env: { PATH: process.env['PATH'] } },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout) as T; // each test names the fields that it reads
}

interface Report {
  readonly steps: readonly {
    readonly step: string;
    readonly use: string;
    readonly notes: readonly { readonly reason: string }[];
  }[];
  readonly comparison: { readonly outputs: readonly { readonly snrDb: number }[] } | null;
  readonly input: { readonly bytes: number };
  readonly output: { readonly bytes: number };
  readonly versions: { readonly runtime: string };
}

async function compress(
  model: string,
  plugin: string,
  step: string,
  ...flags: readonly string[]
): Promise<{ report: Report; written: Graph }> {
  await writeFile(join(folder, 'recipe.yaml'), `espalier: 1\nplugins: { acme: "${plugin}" }\nsteps:\n  - ${step}\n`);
  const report = await espalier<Report>('compress', model, '-o', 'small.onnx', '--recipe', 'recipe.yaml', ...flags);
  return { report, written: await readOnnx(nodeFiles(folder), 'small.onnx') };
}

it('a quantizer of a third party is used by a recipe under its namespace', async () => {
  const { report, written } = await compress('perceptron.onnx', '@acme/espalier-ternary', 'quantize: acme/ternary');
  expect(report.steps).toEqual([expect.objectContaining({ step: 'quantize', use: 'acme/ternary' })]);
  expect(report.comparison?.outputs[0]?.snrDb).toBeGreaterThan(4); // three levels keep that much of normal weights
  expect(report.output.bytes).toBeLessThan(report.input.bytes / 2);
  const matrix = written.nodes.find(({ op }) => op === 'MatMul' || op === 'Gemm')!;
  const dequantize = matrix.inputs
    .map((value) => indexOf(written).producer.get(value ?? ''))
    .find((node) => node?.op === 'DequantizeLinear')!;
  const codes = new Set(toNumbers(written.constants.get(dequantize.inputs[0]!)!));
  expect([...codes].sort((a, b) => a - b)).toEqual([-1, 0, 1]);
}, 120_000);

describe('a pruning of a third party, with a granularity of its own', () => {
  it('is named by `granularity` in a recipe', async () => {
    const step = 'prune: { use: magnitude, with: { granularity: acme/rows, sparsity: 0.25 } }';
    const { report, written } = await compress('perceptron.onnx', '@acme/espalier-rows', step);
    expect(report.steps[0]?.notes[0]?.reason).toBe('8 of 32 rows are zero.');
    const { data } = written.constants.get('w')!;
    const columns = Array.from({ length: 32 }, (_, column) => data.filter((_, i) => i % 32 === column));
    const zero = columns.filter((column) => column.every((weight) => weight === 0));
    expect(zero).toHaveLength(8);
    expect(data.filter((weight) => weight === 0)).toHaveLength(8 * 64);
  }, 120_000);

  it('is refused with its nearest spelling, and its options with theirs', async () => {
    const refused = (granularity: string, options: string) =>
      expect(
        compress(
          'perceptron.onnx',
          '@acme/espalier-rows',
          `prune: { use: magnitude, with: { granularity: ${granularity}, ${options} } }`,
        ),
      ).rejects;
    await refused('acme/row', 'sparsity: 0.5').toThrow(/Did you mean "acme\/rows"/);
    await refused('acme/rows', 'sparsty: 0.5').toThrow(/Did you mean "sparsity"/);
    await refused('acme/rows', 'multiple: 8').toThrow(
      /multiple: expected granularity: channel or head or head-dimension/,
    );
  }, 120_000);

  it('is listed by the command line', async () => {
    const found = await espalier<readonly { kind: string; id: string }[]>(
      'plugins',
      'acme/rows',
      '--plugin',
      '@acme/espalier-rows',
    );
    expect(found).toEqual([expect.objectContaining({ kind: 'pruning', id: 'acme/rows' })]);
  }, 60_000);
});

interface Inspection {
  readonly parameters: number;
  readonly macs: number;
  readonly groups: readonly { readonly id: string; readonly prunable: boolean; readonly units: number }[];
}

it('an axis rule of a third party frees the groups that its op ties', async () => {
  const groupsWith = async (...flags: readonly string[]) =>
    (await espalier<Inspection>('inspect', 'gated.onnx', '--groups', ...flags)).groups;
  expect((await groupsWith()).find(({ id }) => id === 'w/0')?.prunable).toBe(false);
  const groups = await groupsWith('--plugin', '@acme/espalier-gate');
  expect(groups.find(({ id }) => id === 'w/0')?.prunable).toBe(true);
}, 120_000);

describe('one axis rule of a third party for a custom layer', () => {
  it('counts its parameters and multiply-adds, and finds its groups', async () => {
    const found = await espalier<Inspection>('inspect', 'dense.onnx', '--groups', '--plugin', '@acme/espalier-dense');
    expect(found).toMatchObject({ parameters: 18, macs: 18 }); // 3·4 + 2·3
    expect(found.groups.find(({ id }) => id === 'w/0')).toMatchObject({ prunable: true, units: 3 });
  }, 120_000);

  it('scores its units, and removes the smallest with what reads it', async () => {
    const step = 'prune: { use: magnitude, with: { granularity: channel, sparsity: 0.34 } }';
    // No usual runtime has the op, so one of a third party checks the result.
    const flags = ['--plugin', 'dense-runtime.js', '--executor', 'dense-runtime/dense'];
    const { report, written } = await compress('dense.onnx', '@acme/espalier-dense', step, ...flags);
    expect(report.versions.runtime).toBe('dense-runtime 1.0.0');
    expect(written.constants.get('w')).toMatchObject({ shape: [2, 4] });
    expect([...written.constants.get('w')!.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]); // the second row was by far the smallest
    expect(written.constants.get('v')).toMatchObject({ shape: [2, 2] });
  }, 120_000);

  it('reaches the pass that removes dead units, in a recipe and in `convert`', async () => {
    const plugin = '@acme/espalier-dense';
    const flags = ['--plugin', 'dense-runtime.js', '--executor', 'dense-runtime/dense'];
    const { written } = await compress('zeros.onnx', plugin, 'pass: remove-dead-units', ...flags);
    expect(written.constants.get('w')).toMatchObject({ shape: [2, 4] }); // only zeros read its second row
    expect(written.constants.get('v')).toMatchObject({ shape: [2, 2] });
    const convert = ['convert', 'zeros.onnx', '-o', 'converted.onnx', '--pass', 'remove-dead-units', ...flags];
    await espalier(...convert);
    expect((await readOnnx(nodeFiles(folder), 'converted.onnx')).constants.get('w')).toMatchObject({ shape: [3, 4] });
    await espalier(...convert, '--plugin', plugin);
    expect((await readOnnx(nodeFiles(folder), 'converted.onnx')).constants.get('w')).toMatchObject({ shape: [2, 4] });
    await expect(espalier('convert', 'zeros.onnx', '-o', 'x.onnx', '--pass', 'remove-dead-unit')).rejects.toThrow(
      /--pass.*Did you mean "remove-dead-units"/,
    );
  }, 120_000);

  it('gives MACs to `inspect` with the plugin, and leaves them unknown without', async () => {
    const without = await espalier<{ macs: number | null; unknown: readonly object[] }>('inspect', 'dense.onnx');
    expect(without.macs).toBe(null);
    expect(without.unknown).toHaveLength(2);
  }, 60_000);
});
