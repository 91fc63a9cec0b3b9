import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIn } from '../../test/run-in.js';
import { textures } from '../../test/textures.js';

let folder = '';
const data = (take?: number) => ({
  use: 'idx',
  with: { images: 'images.idx', labels: 'labels.idx', ...(take ? { take } : {}) },
  preprocess: { mean: [0.4], std: [0.25] },
});
const recipe = (steps: readonly unknown[]) => ({
  espalier: 1,
  data: { training: data(), evaluation: data(90) },
  steps,
  seed: 5,
});
const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));
const bytes = (name: string) => readFile(join(folder, name));
const json = async (...args: readonly string[]) => {
  const { code, out, error } = await runIn(folder, [...args, '--json', '--quiet']);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return JSON.parse(out);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-compress-training-'));
  const { images, labels } = textures(240);
  await writeFile(join(folder, 'images.idx'), images);
  await writeFile(join(folder, 'labels.idx'), labels);
  const first = {
    train: { use: 'finetune', with: { epochs: 3, batch: 16, optimizer: { use: 'sgd', with: { lr: 0.1 } } } },
  };
  await write('first.json', { ...recipe([first]), model: { use: 'lenet5', with: { classes: 3, size: 16 } } });
  await json('train', 'first.json', '-o', 'net.onnx');
  // A package with a schedule of a stranger: fifteen lines, and nothing but @espalier/core's plain form.
  await writeFile(
    join(folder, 'acme-stairs.mjs'),
    `export const plugins = [
      Object.assign(
        ({ count = 4 } = {}) => (step, span = { steps: 1 }) => {
          const { from = 0, to = 1, steps } = span;
          return from + (to - from) * Math.min(1, Math.floor((step / steps) * count + 1) / count);
        },
        {
          kind: 'schedule',
          id: 'stairs',
          about: 'Rises in steps of the same height.',
          options: { count: { type: 'integer', default: 4, min: 1, about: 'how many steps there are' } },
        },
      ),
    ];`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const gradual = (more: object = {}) => ({
  train: {
    use: 'sparsify',
    with: { sparsity: 0.8, ramp: 2, after: 1, batch: 16, optimizer: { use: 'sgd', with: { lr: 0.05 } }, ...more },
  },
});

describe('compress with a recipe that trains', () => {
  it('prunes along a ramp, learns from the model as it was, and reports the facts of each training', async () => {
    const loss = { use: 'distillation', with: { temperature: 2, weight: 0.5 } };
    await write('gradual.json', recipe([gradual({ loss, teacher: 'original' }), { pass: 'simplify' }]));
    const report = await json('compress', 'net.onnx', '-o', 'small.onnx', '--recipe', 'gradual.json');
    const [{ training, notes }] = report.steps;
    expect(training).toMatchObject({ epochs: 3, steps: 45, reason: 'finished' });
    expect(training.sparsity).toBeCloseTo(0.8, 2);
    const sparsities = training.history.map(({ sparsity }: { sparsity: number }) => sparsity);
    expect(sparsities[0]).toBeGreaterThan(0.6);
    expect(sparsities[1]).toBeLessThan(0.8 + 1e-3);
    expect(sparsities.at(-1)).toBe(training.sparsity);
    expect(notes.some(({ outcome }: { outcome: string }) => outcome === 'pruned')).toBe(true);
    const { nonZero, parameters } = report.costs.after;
    expect(nonZero).toBeLessThan(parameters * 0.22);
    expect(report.metrics.after.top1).toBeGreaterThan(0.8);
    expect(report.recipe.steps[0].train.with).toMatchObject({
      teacher: 'original',
      mode: 'gradual',
      pruner: { use: 'magnitude' },
    });
  });

  it("follows a third party's schedule that the recipe names", async () => {
    const stairs = { rampSchedule: { use: 'acme/stairs', with: { count: 2 } }, rampEvery: 5 };
    await write('stairs.json', { ...recipe([gradual(stairs)]), plugins: { acme: './acme-stairs.mjs' } });
    const report = await json('compress', 'net.onnx', '-o', 'stairs.onnx', '--recipe', 'stairs.json');
    const history = report.steps[0].training.history.map(({ sparsity }: { sparsity: number }) => sparsity.toFixed(2));
    expect(history).toEqual(['0.40', '0.80', '0.80']);
  });

  it('leaves a checkpoint when its user stops it, and goes on from there to the same bytes', async () => {
    await write(
      'killed.json',
      recipe([gradual({ rampSchedule: 'cyclical', checkpointEvery: 7 }), { pass: 'simplify' }]),
    );
    const args = ['compress', 'net.onnx', '--recipe', 'killed.json', '-o'];
    await json(...args, 'whole.onnx');
    const stop = new AbortController();
    const stopped = await runIn(folder, [...args, 'killed.onnx', '--checkpoint', 'state'], {
      signal: stop.signal,
      interrupted: () => stop.signal.aborted,
      watch: (text) => text.startsWith('epoch 2') && stop.abort(),
    });
    expect(stopped.code).toBe(130);
    expect(stopped.error).toMatch(/INTERRUPTED: steps\[0\].train: stopped after 16 training steps.*state\/step-0/);
    await expect(bytes('killed.onnx')).rejects.toThrow(/ENOENT/);
    const resumed = await runIn(folder, [...args, 'killed.onnx', '--resume', 'state']);
    expect(resumed.error).toContain('resumed at step 16 of 45');
    expect((await bytes('killed.onnx')).equals(await bytes('whole.onnx'))).toBe(true);
  });

  it.each([
    [
      'a recipe without training',
      ['--preset', 'fp16', '--checkpoint', 'state'],
      /recipe.steps: expected a step that trains/,
    ],
    ['a folder of forms', ['--preset', 'web', '--resume', 'state'], /--checkpoint: expected a recipe that trains/],
    [
      'two folders',
      ['--preset', 'fp16', '--resume', 'a', '--checkpoint', 'b'],
      /--checkpoint: expected the folder that --resume names/,
    ],
  ])('refuses checkpoints of %s', async (_, flags, message) => {
    const { code, error } = await runIn(folder, ['compress', 'net.onnx', '-o', 'x.onnx', ...flags, '--quiet']);
    expect([code, error]).toEqual([1, expect.stringMatching(message)]);
  });

  it.each([
    ['a distillation without a teacher', { loss: 'distillation' }, /a teacher, for the loss learns from one/],
    ['a teacher that nobody listens to', { teacher: 'original' }, /a loss that learns from it/],
    ['a teacher that is not there', { loss: 'distillation', teacher: 'none.onnx' }, /FILE_MISSING/],
    ['two learning rates', { learningRate: 0.1 }, /one learning rate, found 0.1, and 0.05 with the optimizer/],
    [
      'a schedule that knows better',
      { schedule: { use: 'one-cycle', with: { peak: 0.3 } } },
      /a schedule that begins from it/,
    ],
    ['decay of nothing', { decays: ['conv9*=0'] }, /patterns that name a parameter of the model, found "conv9\*"/],
  ])('refuses %s', async (_, more, message) => {
    await write('wrong.json', recipe([gradual(more)]));
    const { code, error } = await runIn(folder, [
      'compress',
      'net.onnx',
      '-o',
      'x.onnx',
      '--recipe',
      'wrong.json',
      '--quiet',
    ]);
    expect([code, error]).toEqual([1, expect.stringMatching(message)]);
  });
});
