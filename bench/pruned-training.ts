import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { measureLatencyPair } from '@espalier/analysis';
import { createRandom, floats } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { readOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { simplify } from '@espalier/passes';
import { costModel } from '@espalier/pruners';
import { type Recipe, type RecipeStep, trainModel } from '@espalier/recipe';
import { registry } from 'espalier';
import { dataFolder, modelsFolder } from '../test/fixtures.js';

/**
 * resnet20-cifar10 with a share of its multiply-adds pruned away by different scores (and what reads the channels fitted
 * to 1,024 images), then fine-tuned on 20,000 JPEG images; accuracy on 10,000 others beside that of the dense network
 * trained the same way. A row is kept in a folder
 * as soon as it is done, so that the table can be finished later.
 *
 *     tsx --conditions=@espalier/source bench/pruned-training.ts FOLDER [scores] [shares] [epochs] [learning rate]
 *     tsx --conditions=@espalier/source bench/pruned-training.ts .cache/table magnitude,taylor,fpgm,random 0.3,0.5,0.7 4 0.02
 */
const [folder, scores = 'magnitude,taylor,fpgm,random', shares = '0.3,0.5,0.7', epochs = '4', learningRate = '0.02'] =
  process.argv.slice(2);
const [models, data] = [modelsFolder(), dataFolder()];
if (!folder) throw new Error('Name a folder for the results.');
if (!models || !data) throw new Error('Set ESPALIER_MODELS and ESPALIER_DATA.');
mkdirSync(folder, { recursive: true });
const model = resolve(models, 'resnet20-cifar10.onnx');
const executor = createOnnxRuntime();
const files = nodeFiles(process.cwd(), { confine: false });

interface Row {
  readonly name: string;
  readonly macs: number;
  readonly parameters: number;
  readonly top1: number;
  readonly latency: number;
  readonly seconds: number;
}

const images = (file: string, take = {}) => ({
  use: 'images',
  with: { path: resolve(data, 'cifar10', file), ...take },
  preprocess: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
});

const dense = await row('dense', []);
console.log('score      | MACs removed | parameters | top-1   | lost to dense | latency | training s');
show(dense);
for (const share of shares.split(',').map(Number)) {
  for (const score of scores.split(',')) {
    // The channels between the two convolutions of each block; those of the residual sums stay.
    const options = { granularity: 'channel', goal: 'macs', sparsity: share, only: ['layer?.?.conv1.weight/0'] };
    show(await row(`${score}-${share}`, [{ prune: { use: score, with: options } }]));
  }
}
await executor.close();

async function row(name: string, prune: readonly RecipeStep[]): Promise<Row> {
  const kept = join(folder!, `${name}-${epochs}-${learningRate}.json`); // checked above
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Row; // written below
  const train: RecipeStep = {
    train: {
      use: 'finetune',
      with: {
        epochs: Number(epochs),
        learningRate: Number(learningRate),
        evaluateEvery: Number(epochs),
        augment: { flip: true, crop: 4 },
        optimizer: { use: 'sgd', with: { momentum: 0.9, nesterov: true, weightDecay: 0.0005 } },
      },
    },
  };
  const recipe: Recipe = {
    espalier: 1,
    seed: 1,
    data: {
      calibration: images('cifar10-train20k-jpg.tar.gz', { take: 1024 }),
      training: images('cifar10-train20k-jpg.tar.gz'),
      evaluation: images('cifar10-test-jpg.tar.gz'),
    },
    steps: [...prune, train],
  };
  const output = join(folder!, `${name}.onnx`); // checked above
  const report = await trainModel({ recipe, registry, executor, files, model, output });
  const [before, after] = [simplify(await readOnnx(files, model)), simplify(await readOnnx(files, output))];
  const [costBefore, costAfter] = [costModel(before)(new Map()), costModel(after)(new Map())];
  const sessions = [await executor.open(before), await executor.open(after)] as const;
  const random = createRandom(1);
  const image = floats(Float32Array.from({ length: 3 * 32 * 32 }, random.normal), [1, 3, 32, 32]);
  const feeds = new Map([[before.inputs[0]!, image]]);
  const { ratio } = await measureLatencyPair(
    { session: sessions[0], feeds },
    { session: sessions[1], feeds },
    { runs: 400 },
  );
  for (const session of sessions) await session.close();
  const made: Row = {
    name,
    macs: 1 - costAfter.macs / costBefore.macs,
    parameters: 1 - costAfter.parameters / costBefore.parameters,
    top1: report.metrics!.top1!, // evaluation data is given
    latency: ratio,
    seconds: report.seconds,
  };
  writeFileSync(kept, JSON.stringify(made));
  return made;
}

function show({ name, macs, parameters, top1, latency, seconds }: Row): void {
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const cells = [
    percent(macs),
    percent(parameters),
    percent(top1),
    percent(dense.top1 - top1),
    latency.toFixed(2),
    seconds.toFixed(0),
  ];
  console.log([name.padEnd(14), ...cells.map((text) => text.padStart(9))].join(' | '));
}
