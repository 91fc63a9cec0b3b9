import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildGraph, createRandom, floats, indexOf, toNumbers } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { encodeOnnx, readOnnx } from '@espalier/onnx';
import { afterAll, expect, it } from 'vitest';
import { gatedNet } from './gated-net.js';
import { packPlugin } from './pack-plugin.js';
import { root } from './workspace.js';

const run = promisify(execFile);
let folder = '';
afterAll(() => rm(folder, { recursive: true, force: true }));

function perceptron() {
  const random = createRandom(11);
  const b = buildGraph();
  const w = floats(
    Float32Array.from({ length: 64 * 32 }, () => random.normal()),
    [64, 32],
  );
  b.output(
    b.add('Relu', [b.add('MatMul', [b.input('x', 'float32', ['batch', 64]), b.constant('w', w)])], { name: 'y' }),
  );
  b.info('y', { dtype: 'float32', shape: ['batch', 32] });
  return b.finish();
}

it('a plugin of a third party is packed, installed beside a recipe, and used by the command line under its namespace', async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-plugin-'));
  const { core, plugin, gate } = await packPlugin(folder);
  await writeFile(join(folder, 'package.json'), '{ "name": "somebody", "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', core, plugin, gate], {
    cwd: folder,
  });
  await writeFile(join(folder, 'model.onnx'), Buffer.concat(encodeOnnx(perceptron())));
  await writeFile(
    join(folder, 'recipe.yaml'),
    'espalier: 1\nplugins: { acme: "@acme/espalier-ternary" }\nsteps:\n  - quantize: acme/ternary\n',
  );

  // The built command line in a process of its own, as a user runs it.
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'apps/cli')]);
  const line = ['compress', 'model.onnx', '-o', 'small.onnx', '--recipe', 'recipe.yaml', '--json', '--quiet'];
  const { stdout, stderr } = await run(process.execPath, [join(root, 'apps/cli/dist/main.js'), ...line], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
  });
  expect(stderr).toBe('');
  const report = JSON.parse(stdout);
  expect(report.steps).toEqual([expect.objectContaining({ step: 'quantize', use: 'acme/ternary' })]);
  expect(report.comparison.outputs[0].snrDb).toBeGreaterThan(4); // three levels keep that much of normal weights
  expect(report.output.bytes).toBeLessThan(report.input.bytes / 2);

  const written = await readOnnx(nodeFiles(folder), 'small.onnx');
  const matrix = written.nodes.find(({ op }) => op === 'MatMul' || op === 'Gemm')!;
  const dequantize = matrix.inputs
    .map((value) => indexOf(written).producer.get(value ?? ''))
    .find((node) => node?.op === 'DequantizeLinear')!;
  const codes = new Set(toNumbers(written.constants.get(dequantize.inputs[0]!)!));
  expect([...codes].sort((a, b) => a - b)).toEqual([-1, 0, 1]);
}, 240_000);

it('a plugin given on the command line says how the axes of a custom op relate', async () => {
  await writeFile(join(folder, 'gated.onnx'), Buffer.concat(encodeOnnx(gatedNet())));
  const line = ['inspect', 'gated.onnx', '--groups', '--json', '--quiet'];
  const groupsWith = async (...flags: readonly string[]) => {
    const { stdout } = await run(process.execPath, [join(root, 'apps/cli/dist/main.js'), ...line, ...flags], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
    });
    return (JSON.parse(stdout) as { groups: readonly { id: string; prunable: boolean }[] }).groups;
  };
  expect((await groupsWith()).find(({ id }) => id === 'w/0')?.prunable).toBe(false);
  const found = await groupsWith('--plugin', '@acme/espalier-gate');
  expect(found.find(({ id }) => id === 'w/0')?.prunable).toBe(true);
}, 60_000);
