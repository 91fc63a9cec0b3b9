import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { costsOf } from '@espalier/analysis';
import type { Graph } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { readOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { simplify } from '@espalier/passes';
import { type Recipe, type RecipeStep, trainModel } from '@espalier/recipe';
import { registry } from 'espalier';
import { dataFolder, modelsFolder } from '../test/fixtures.js';

/**
 * resnet20-cifar10 by GETA beside its neighbours, all trained for as many epochs on 20,000 JPEG images, judged on 10,000
 * others: `float` is trained alone; `geta` cuts and quantizes jointly; `prune-quantize` cuts first, then trains, then
 * quantizes as `int8` does; `quantize` trains quantizers alone. BOPs are multiply-adds times the bits of both operands,
 * relative to the float network's at 32 bits each. A row keeps checkpoints, and a finished row is not run again.
 *
 *     tsx --conditions=@espalier/source bench/geta.ts .cache/geta --rows float,geta --epochs 6 --sparsity 0.35
 */
const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: 'float,geta,geta-weights,prune-quantize,quantize' },
    epochs: { type: 'string', default: '6' },
    rate: { type: 'string', default: '0.01' },
    sparsity: { type: 'string', default: '0.35' },
    goal: { type: 'string', default: 'units' },
    take: { type: 'string', default: '20000' },
    judge: { type: 'string', default: '10000' },
    with: { type: 'string', default: '{}' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '0' },
  },
});
const [folder] = positionals;
const [models, data] = [modelsFolder(), dataFolder()];
if (!folder) throw new Error('Name a folder for the results.');
if (!models || !data) throw new Error('Set ESPALIER_MODELS and ESPALIER_DATA.');
mkdirSync(folder, { recursive: true });
const executor = createOnnxRuntime({ threads: Number(asked.threads) });
const files = nodeFiles(process.cwd(), { confine: false });
const model = resolve(models, 'resnet20-cifar10.onnx');

const images = (file: string, take: string) => ({
  use: 'images',
  with: { path: resolve(data, 'cifar10', file), take: Number(take) },
  preprocess: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
});

const shared = {
  batch: 64,
  learningRate: Number(asked.rate),
  augment: { flip: true, crop: 4 },
  optimizer: { use: 'sgd', with: { momentum: 0.9, nesterov: true, weightDecay: 0.0001 } },
};
const finetune: RecipeStep = {
  train: { use: 'finetune', with: { ...shared, epochs: Number(asked.epochs), evaluateEvery: Number(asked.epochs) } },
};
const [sparsity, goal] = [Number(asked.sparsity), asked.goal];
const cut: RecipeStep = {
  prune: { use: 'magnitude', with: { granularity: 'channel', sparsity, goal, scope: 'global' } },
};
const jointly = (more: object): RecipeStep => ({
  train: {
    use: 'geta',
    with: { ...shared, epochs: Number(asked.epochs), sparsity, goal, ...more, ...JSON.parse(asked.with) },
  },
});

const rows: Readonly<Record<string, readonly RecipeStep[]>> = {
  float: [finetune],
  geta: [jointly({})],
  'geta-weights': [jointly({ activations: { quantize: false } })],
  'prune-quantize': [cut, finetune, { quantize: 'static' }],
  quantize: [jointly({ sparsity: 0 })],
};

interface Row {
  readonly top1: number;
  readonly bops: number;
  readonly bytes: number;
  readonly rate: number;
}

const bopsOf = (graph: Graph): number => costsOf(simplify(graph)).knownBops;

async function row(name: string, steps: readonly RecipeStep[]): Promise<Row> {
  const stem = join(
    folder!,
    `${name}_${asked.epochs}_${asked.rate}_${asked.sparsity}_${goal}_${asked.take}_${asked.seed}`,
  ); // checked above
  if (existsSync(`${stem}.json`)) return JSON.parse(readFileSync(`${stem}.json`, 'utf8')) as Row; // written below
  const recipe: Recipe = {
    espalier: 1,
    seed: Number(asked.seed),
    data: {
      calibration: images('cifar10-train20k-jpg.tar.gz', '512'),
      training: images('cifar10-train20k-jpg.tar.gz', asked.take),
      evaluation: images('cifar10-test-jpg.tar.gz', asked.judge),
    },
    steps,
  };
  const report = await trainModel({
    recipe,
    registry,
    executor,
    files,
    model,
    output: `${stem}.onnx`,
    force: true,
    checkpoint: { files, folder: `${stem}-state`, resume: true },
    progress: (stage) => void (stage.startsWith('epoch') && console.error(name, stage)),
  });
  const [after, before] = await Promise.all([readOnnx(files, `${stem}.onnx`), readOnnx(files, model)]);
  const made = {
    top1: report.metrics!.top1!, // evaluation data is given
    bops: bopsOf(after) / bopsOf(before),
    bytes: statSync(`${stem}.onnx`).size,
    rate: report.imagesPerSecond,
  };
  writeFileSync(`${stem}.json`, JSON.stringify(made));
  return made;
}

console.log('row             | file top-1 | relative BOPs | kB of the file | images/s');
for (const name of asked.rows.split(',')) {
  const steps = rows[name];
  if (!steps) throw new Error(`Rows are ${Object.keys(rows).join(', ')}.`);
  const { top1, bops, bytes, rate } = await row(name, steps);
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  console.log(
    `${name.padEnd(15)} | ${percent(top1).padStart(10)} | ${percent(bops).padStart(13)} | ${(bytes / 1000).toFixed(0).padStart(14)} | ${rate.toFixed(0)}`,
  );
}
await executor.close();
