import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Executor, memoryFiles } from '@espalier/core';
import { readOnnx, writeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { checkSteps, compress, parseRecipe, type Recipe, trainModel } from '@espalier/recipe';
import { createTensorCore } from '@espalier/tensor';
import { lenet5 } from '@espalier/zoo';
import { presets, registry } from 'espalier';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './workspace.js';

const folder = join(root, 'examples/recipes');
const names = readdirSync(folder).filter((name) => name.startsWith('qat-'));
const runtime = createOnnxRuntime({ threads: 1 });
const wasm = createTensorCore();
afterAll(async () => {
  await runtime.close();
  await wasm.close();
});

const files = memoryFiles();
await writeOnnx(lenet5({ size: 16, seed: 3 }), files, { path: 'net.onnx' });

const data = (split: 'train' | 'test', count: number) => ({
  use: 'synthetic',
  with: { split, count },
  preprocess: { grayscale: true, mean: [0.5], std: [0.5] },
});

const onLittle = (recipe: Recipe): Recipe => ({
  ...recipe,
  data: { training: data('train', 256), evaluation: data('test', 64) },
  steps: recipe.steps.map((step) =>
    'train' in step && typeof step.train !== 'string'
      ? { train: { ...step.train, with: { ...step.train.with, epochs: 1 } } }
      : step,
  ),
});

const requestOf = (recipe: Recipe, output: string, executor: Executor = runtime) => ({
  recipe,
  registry,
  executor,
  files,
  output,
  force: true,
});

describe('recipes with learned quantizers', () => {
  it.each(names)('%s ends in a file of integers that computes what was trained', async (name) => {
    const recipe = onLittle(parseRecipe(readFileSync(join(folder, name), 'utf8'), name));
    checkSteps(recipe, registry);
    const report = await trainModel({ ...requestOf(recipe, 'small.onnx'), model: 'net.onnx' });
    const small = await readOnnx(files, 'small.onnx');
    expect(small.nodes.some(({ op }) => op.startsWith('espalier::'))).toBe(false);
    expect(small.nodes.some(({ op }) => op === 'QuantizeLinear')).toBe(true);
    expect(report.output.bytes).toBeLessThan(0.5 * (await files.size('net.onnx'))!);
    const trained = report.ran.find(({ step }) => step === 'train')!.training!.metrics!.top1!;
    expect(Math.abs(report.metrics!.top1! - trained)).toBeLessThanOrEqual(1 / 64);
  });

  it.each(['qat-int8', 'qat-int4'] as const)('the preset %s takes its ranges from the training data', async (name) => {
    const recipe = onLittle(presets[name].recipe);
    const report = await compress({ ...requestOf(recipe, 'preset.onnx'), input: 'net.onnx' });
    expect(report.warnings.filter((warning) => warning.includes('made inputs'))).toEqual([]);
  });

  it('the same seed gives the same bytes', async () => {
    const recipe = onLittle(presets['qat-int4'].recipe);
    for (const output of ['once.onnx', 'again.onnx']) {
      await trainModel({ ...requestOf(recipe, output), model: 'net.onnx' });
    }
    expect(
      Buffer.compare(Buffer.from(await files.read('once.onnx')), Buffer.from(await files.read('again.onnx'))),
    ).toBe(0);
  });

  it('WebAssembly learns what onnxruntime does', async () => {
    const quantize = { use: 'learned', with: { weights: { bits: 4 }, activations: { start: 'minmax' } } } as const;
    const recipe = onLittle({
      ...presets['qat-int8'].recipe,
      steps: [{ quantize }, presets['qat-int8'].recipe.steps[1]],
    });
    const losses = async (executor: Executor) => {
      const report = await trainModel({ ...requestOf(recipe, 'other.onnx', executor), model: 'net.onnx' });
      return report.ran.find(({ step }) => step === 'train')!.training!.history.map(({ loss }) => loss);
    };
    const [ours, theirs] = [await losses(runtime), await losses(wasm)];
    ours.forEach((loss, i) => {
      expect(Math.abs(loss - theirs[i]!)).toBeLessThan(0.02 * loss);
    });
  });
});
