import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureLatencyPair } from '@espalier/analysis';
import { createRandom, floats, type Graph } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { readOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { simplify } from '@espalier/passes';
import { costModel, coupled } from '@espalier/pruners';
import { type Recipe, type RecipeStep, trainModel } from '@espalier/recipe';
import { registry } from 'espalier';
import { dataFolder, modelsFolder } from '../test/fixtures.js';

/**
 * resnet20-cifar10 with a share of its multiply-adds pruned away by different scores, beside the dense network trained
 * the same way. First the dense network learns 20,000 JPEG images (`--start` epochs). From there every row is pruned
 * (channels inside blocks, in multiples of 8; what reads them is fitted to 1,024 images), then trained for `--epochs`
 * by distillation from the network it was cut from. Accuracy is on 10,000 other images. Latency is of one image, as a
 * ratio to the network as it was given, on one thread and on two, measured whenever a row is shown. A row is kept in a
 * folder as soon as it is trained, so that the table can be finished later.
 *
 *     tsx --conditions=@espalier/source bench/pruned-training.ts .cache/table
 *     tsx --conditions=@espalier/source bench/pruned-training.ts .cache/table --scores magnitude --shares 0.5 --epochs 40
 */
const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scores: { type: 'string', default: 'magnitude,taylor,fpgm,random' },
    shares: { type: 'string', default: '0.3,0.5,0.65' },
    start: { type: 'string', default: '16' },
    epochs: { type: 'string', default: '4' },
    rate: { type: 'string', default: '0.05' },
    threads: { type: 'string', default: '0' },
  },
});
const [folder] = positionals;
const [models, data] = [modelsFolder(), dataFolder()];
if (!folder) throw new Error('Name a folder for the results.');
if (!models || !data) throw new Error('Set ESPALIER_MODELS and ESPALIER_DATA.');
mkdirSync(folder, { recursive: true });
const original = resolve(models, 'resnet20-cifar10.onnx');
const executor = createOnnxRuntime({ threads: Number(asked.threads) });
const files = nodeFiles(process.cwd(), { confine: false });
const [first, rest] = [`start-${asked.start}`, `${asked.epochs}-${asked.rate}`];

interface Row {
  readonly name: string;
  readonly macs: number;
  readonly parameters: number;
  readonly top1: number;
  readonly seconds: number;
}

const images = (file: string, take = {}) => ({
  use: 'images',
  with: { path: resolve(data, 'cifar10', file), ...take },
  preprocess: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
});

const training = (epochs: string, learningRate: string, loss = {}): RecipeStep => ({
  train: {
    use: 'finetune',
    with: {
      epochs: Number(epochs),
      learningRate: Number(learningRate),
      evaluateEvery: Number(epochs),
      augment: { flip: true, crop: 4 },
      optimizer: { use: 'sgd', with: { momentum: 0.9, nesterov: true, weightDecay: 0.0005 } },
      ...loss,
    },
  },
});

const start = join(folder, `${first}.onnx`);
const startRow = await row(first, { model: original, steps: [training(asked.start, '0.02')] });
const taught = training(asked.epochs, asked.rate, {
  teacher: start,
  loss: { use: 'distillation', with: { temperature: 4, weight: 0.9 } },
});
const last: readonly RecipeStep[] = [{ pass: 'simplify' }, { pass: 'convolve-shortcuts' }];
console.log('                        | MACs gone | parameters |   top-1 | lost to dense |   latency | training s');
await show(startRow);
const dense = await row(`dense-${rest}`, { model: start, steps: [taught, ...last] });
await show(dense);
for (const share of asked.shares.split(',')) {
  for (const score of asked.scores.split(',')) {
    const only = ['layer?.?.conv1.weight/0']; // the channels of the residual sums stay
    const options = { granularity: 'channel', goal: 'macs', sparsity: Number(share), multiple: 8, only };
    const prune = { prune: { use: score, with: options } };
    await show(await row(`${score}-${share}-${rest}`, { model: start, steps: [prune, taught, ...last] }));
  }
}
await executor.close();

async function row(name: string, { model, steps }: { readonly model: string; readonly steps: readonly RecipeStep[] }) {
  const kept = join(folder!, `${name}.json`); // checked above
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Row; // written below
  const recipe: Recipe = {
    espalier: 1,
    seed: 7,
    data: {
      calibration: images('cifar10-train20k-jpg.tar.gz', { take: 1024 }),
      training: images('cifar10-train20k-jpg.tar.gz'),
      evaluation: images('cifar10-test-jpg.tar.gz'),
    },
    steps: [...steps],
  };
  const output = join(folder!, `${name}.onnx`); // checked above
  const report = await trainModel({ recipe, registry, executor, files, model, output });
  const [before, after] = [await readOnnx(files, original), await readOnnx(files, output)];
  const [costBefore, costAfter] = [before, after].map((graph) => costModel(coupled(simplify(graph)))(new Map()));
  const made: Row = {
    name,
    macs: 1 - costAfter!.macs / costBefore!.macs,
    parameters: 1 - costAfter!.parameters / costBefore!.parameters,
    top1: report.metrics!.top1!, // evaluation data is given
    seconds: report.seconds,
  };
  writeFileSync(kept, JSON.stringify(made));
  return made;
}

/** How long one image takes in the second network, relative to the first. */
async function latencyRatio(before: Graph, after: Graph, threads: number): Promise<number> {
  const measuring = createOnnxRuntime({ threads });
  const random = createRandom(1);
  const image = floats(Float32Array.from({ length: 3 * 32 * 32 }, random.normal), [1, 3, 32, 32]);
  const feeds = new Map([[before.inputs[0]!, image]]);
  const [a, b] = [await measuring.open(before), await measuring.open(after)];
  const { ratio } = await measureLatencyPair({ session: a, feeds }, { session: b, feeds }, { runs: 1000 });
  await measuring.close();
  return ratio;
}

async function show({ name, macs, parameters, top1, seconds }: Row): Promise<void> {
  const [before, after] = [await readOnnx(files, original), await readOnnx(files, join(folder!, `${name}.onnx`))]; // checked above
  const latency = [await latencyRatio(before, after, 1), await latencyRatio(before, after, 2)];
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const cells = [
    percent(macs).padStart(9),
    percent(parameters).padStart(10),
    percent(top1).padStart(7),
    (name === first ? '' : percent(dense.top1 - top1)).padStart(13),
    latency
      .map((ratio) => ratio.toFixed(2))
      .join(', ')
      .padStart(9),
    seconds.toFixed(0).padStart(10),
  ];
  console.log([name.padEnd(23), ...cells].join(' | '));
}
