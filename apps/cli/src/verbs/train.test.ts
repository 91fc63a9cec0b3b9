import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIn } from '../../test/run-in.js';
import { textures } from '../../test/textures.js';

let folder = '';

const train = (options: object) => ({
  train: { use: 'finetune', with: { batch: 16, learningRate: 0.1, ...options } },
});
/** Named as a data set with preprocessing is. */
function halves(take?: number) {
  const files = { images: 'images.idx', labels: 'labels.idx', ...(take ? { take } : {}) };
  return { use: 'idx', with: files, preprocess: { mean: [0.4], std: [0.25] } };
}

const recipe = {
  espalier: 1,
  model: { use: 'lenet5', with: { classes: 3, size: 16 } },
  data: {
    training: halves(),
    evaluation: halves(100),
    calibration: halves(32),
  },
  steps: [train({ epochs: 4, augment: { crop: 1 }, checkpointEvery: 6 })],
  seed: 5,
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-train-'));
  await writeFile(join(folder, 'net.json'), JSON.stringify(recipe));
  const { images, labels } = textures(320);
  await writeFile(join(folder, 'images.idx'), images);
  await writeFile(join(folder, 'labels.idx'), labels);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...args: readonly string[]) => runIn(folder, args);

const json = async (...args: readonly string[]) => {
  const { code, out, error } = await run(...args, '--json', '--quiet');
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return JSON.parse(out);
};

const bytes = (name: string) => readFile(join(folder, name));

describe('train', () => {
  it('trains an architecture, measures what was written, and prints the documented JSON', async () => {
    const report = await json('train', 'net.json');
    expect(report).toMatchObject({
      espalierTraining: 1,
      input: { use: 'lenet5' },
      output: { path: 'net-trained.onnx', format: 'onnx', bytes: (await bytes('net-trained.onnx')).length },
      epochs: 4,
      steps: 80,
      metricsBefore: null,
      seed: 5,
    });
    expect(report.imagesPerSecond).toBeGreaterThan(0);
    expect(report.seconds).toBeGreaterThan(0);
    expect(report.ran[0].training.history).toHaveLength(4);
    const found = await json(
      'evaluate',
      'net-trained.onnx',
      '--data',
      'idx:images.idx,labels.idx:100',
      '--mean',
      '0.4',
      '--std',
      '0.25',
      '--seed',
      '5',
    );
    expect(found.metrics).toEqual(report.metrics);
    expect(report.metrics.top1).toBeGreaterThan(0.8);
  });

  it('writes the same bytes again, and when it resumes what another run left', async () => {
    await json('train', 'net.json', '-o', 'again.onnx', '--checkpoint', 'state');
    expect((await bytes('again.onnx')).equals(await bytes('net-trained.onnx'))).toBe(true);
    const state = join(folder, 'state/step-0');
    await rm(join(state, 'checkpoint.safetensors')); // as a kill between the two renames would leave it
    const { error } = await run('train', 'net.json', '-o', 'resumed.onnx', '--resume', 'state');
    expect(error).toMatch(/resumed at step \d+ of 80/);
    expect((await bytes('resumed.onnx')).equals(await bytes('net-trained.onnx'))).toBe(true);
    const other = await run('train', 'net.json', '-o', 'other.onnx', '--resume', 'state', '--seed', '6');
    expect(other.code).toBe(1);
    expect(other.error).toMatch(/CHECKPOINT_OTHER_RUN/);
  });

  it('fine-tunes a file that a flag names, and says how good it was before', async () => {
    const report = await json(
      ...[
        'train',
        'net.json',
        '--model',
        'net-trained.onnx',
        '-o',
        'more.onnx',
        '--set',
        'steps[0].train.with.epochs=1',
      ],
    );
    expect(report.input).toBe('net-trained.onnx');
    expect(report.metricsBefore.top1).toBeGreaterThan(0.8);
    expect(report.epochs).toBe(1);
    const text = await run(
      'train',
      'net.json',
      '--model',
      'more.onnx',
      '--set',
      'steps[0].train.with.epochs=0',
      '--quiet',
    );
    expect(text.out).toMatch(/steps\s+0[\s\S]*top1\s+[\d.]+ % before, [\d.]+ % after/);
  });

  it('trains between pruning and quantizing in a recipe of compress, and pruned weights stay zero', async () => {
    const steps = [
      { prune: { use: 'magnitude', with: { sparsity: 0.6 } } },
      train({ epochs: 3, learningRate: 0.02 }),
      { pass: 'simplify' },
      { quantize: 'static' },
    ];
    await writeFile(join(folder, 'small.json'), JSON.stringify({ ...recipe, model: undefined, steps }));
    const report = await json('compress', 'net-trained.onnx', '-o', 'small.onnx', '--recipe', 'small.json');
    expect(report.steps.map(({ step }: { step: string }) => step)).toEqual(['prune', 'train', 'pass', 'quantize']);
    expect(report.steps[1].training.steps).toBe(60);
    const { nonZero, parameters } = report.costs.after;
    expect(nonZero).toBeLessThan(parameters * 0.45);
    expect(report.metrics.after.top1).toBeGreaterThan(0.8);
    expect(report.output.bytes).toBeLessThan(report.input.bytes / 2);
  });

  it.each([
    ['no training data', { data: {} }, /RECIPE_DATA: steps\[0\].train: expected training data, found none/],
    ['no model', { model: undefined }, /RECIPE_INVALID: recipe.model: expected a file or an architecture/],
    [
      'no step that trains',
      { steps: [{ pass: 'simplify' }] },
      /RECIPE_INVALID: recipe.steps: expected a step that trains/,
    ],
    [
      'a wrong option',
      { steps: [train({ epoch: 3 })] },
      /OPTION_UNKNOWN: steps\[0\].train.with.*Did you mean "epochs"/,
    ],
    ['an unknown architecture', { model: { use: 'lenet' } }, /PLUGIN_UNKNOWN: model.*Did you mean "lenet5"/],
  ])('refuses a recipe with %s', async (_, change, message) => {
    await writeFile(join(folder, 'wrong.json'), JSON.stringify({ ...recipe, ...change }));
    const { code, error } = await run('train', 'wrong.json', '--quiet');
    expect(code).toBe(1);
    expect(error).toMatch(message);
  });
});
