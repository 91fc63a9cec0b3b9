import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryFiles } from '@espalier/core';
import { readOnnx, writeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { checkSteps, compress, parseRecipe, type Recipe, trainModel } from '@espalier/recipe';
import { lenet5 } from '@espalier/zoo';
import { registry } from 'espalier';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './workspace.js';

const folder = join(root, 'examples/recipes');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const read = (name: string) => parseRecipe(readFileSync(join(folder, name), 'utf8'), name);
const runtime = createOnnxRuntime({ threads: 1 });
afterAll(() => runtime.close());

const files = memoryFiles();
await writeOnnx(lenet5({ size: 16, seed: 3 }), files, { path: 'net.onnx' });

const data = (split: 'train' | 'test', count: number) => ({
  use: 'synthetic',
  with: { split, count },
  preprocess: { grayscale: true, mean: [0.5], std: [0.5] },
});

/** The recipe on little data, for one epoch (three of `geta`, whose stages need steps). */
const onLittle = (recipe: Recipe): Recipe => ({
  ...recipe,
  data: { training: data('train', 256), evaluation: data('test', 64), calibration: data('train', 32) },
  steps: recipe.steps.map((step) => {
    if (!('train' in step) || typeof step.train === 'string') return step;
    const epochs = step.train.use === 'geta' ? 10 : 1;
    return { train: { ...step.train, with: { ...step.train.with, epochs } } };
  }),
});

describe('ready recipes', () => {
  it.each(names)('%s resolves', (name) => {
    checkSteps(onLittle(read(name)), registry);
  });

  it('stand in their README, and only they do', () => {
    const listed = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/`([\w-]+\.yaml)`/g)].map(
      (match) => match[1],
    );
    expect(listed.sort()).toEqual([...names].sort());
  });

  const smaller = names.filter((name) => !name.startsWith('qat-') && !name.startsWith('train-'));
  it.each(smaller)('%s makes a small network smaller', { timeout: 60_000 }, async (name) => {
    const recipe = onLittle(read(name));
    const request = { recipe, registry, executor: runtime, files, output: 'small.onnx', force: true };
    const report = await compress({ ...request, input: 'net.onnx' });
    expect(report.output.bytes).toBeLessThan(0.8 * (await files.size('net.onnx'))!);
    expect((await readOnnx(files, 'small.onnx')).nodes.some(({ op }) => op.startsWith('espalier::'))).toBe(false);
  });

  it('train-lenet5.yaml trains', { timeout: 60_000 }, async () => {
    const recipe = onLittle(read('train-lenet5.yaml'));
    const fitting = {
      ...recipe,
      model: { use: 'lenet5', with: { size: 16 } },
      data: { training: data('train', 256), evaluation: data('test', 64) },
    };
    const report = await trainModel({
      recipe: fitting,
      registry,
      executor: runtime,
      files,
      output: 'lenet5.onnx',
      force: true,
    });
    expect(report.epochs).toBe(1);
    expect(report.metrics!.top1).toBeGreaterThan(0.05);
  });
});
