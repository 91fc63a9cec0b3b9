import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeFiles } from '@espalier/core/node';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { type Recipe, type RecipeStep, trainModel } from '@espalier/recipe';
import { registry } from 'espalier';
import { dataFolder, modelsFolder } from '../test/fixtures.js';

/**
 * resnet20-cifar10 (81.03 % on 10,000 JPEG images) trained with quantizers, beside the float network trained as long
 * from the same weights on 20,000 other images. A row is METHOD-WEIGHTS-ACTIVATIONS, such as `lsq-4-4`, or `float`;
 * `fold-lsq-4-4` folds batch norms first. The table has the accuracy of the network as it was trained, and of the file
 * in integers. A row keeps a checkpoint after every epoch and goes on from it; a finished row is not run again.
 *
 *     tsx --conditions=@espalier/source bench/qat.ts .cache/qat --rows float,lsq-4-4,ste-4-4 --epochs 2 --seed 1
 */
const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: 'float,lsq-4-4,ste-4-4,lsq-3-8,ste-3-8,lsq-2-8,ste-2-8' },
    epochs: { type: 'string', default: '2' },
    rate: { type: 'string', default: '0.01' },
    'scale-rate': { type: 'string', default: '1' },
    take: { type: 'string', default: '20000' },
    judge: { type: 'string', default: '10000' },
    batch: { type: 'string', default: '64' },
    reestimate: { type: 'string', default: '0' },
    start: { type: 'string', default: 'mse' },
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

const training: RecipeStep = {
  train: {
    use: 'finetune',
    with: {
      epochs: Number(asked.epochs),
      batch: Number(asked.batch),
      learningRate: Number(asked.rate),
      scaleRate: Number(asked['scale-rate']),
      batchNormBatches: Number(asked.reestimate),
      evaluateEvery: Number(asked.epochs),
      augment: { flip: true, crop: 4 },
      optimizer: { use: 'sgd', with: { momentum: 0.9, nesterov: true, weightDecay: 0.0001 } },
    },
  },
};

function stepsOf(name: string): readonly RecipeStep[] {
  if (name === 'float') return [training];
  const parts = name.split('-');
  const folded = parts[0] === 'fold';
  const [method, weights, activations] = folded ? parts.slice(1) : parts;
  const quantize = {
    use: 'learned',
    with: {
      method,
      weights: { bits: Number(weights), start: asked.start },
      activations: { bits: Number(activations) },
      batchNorm: folded ? 'fold' : 'batch',
    },
  };
  return [{ quantize }, training, { quantize: 'integers' }];
}

interface Row {
  readonly name: string;
  readonly trained: number;
  readonly file: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly rate: number;
}

async function row(name: string): Promise<Row> {
  const { epochs, rate, take, seed, reestimate, start, judge } = asked;
  const stem = join(folder!, [name, epochs, rate, asked['scale-rate'], take, reestimate, start, judge, seed].join('_')); // checked above
  if (existsSync(`${stem}.json`)) return JSON.parse(readFileSync(`${stem}.json`, 'utf8')) as Row; // written below
  const recipe: Recipe = {
    espalier: 1,
    seed: Number(seed),
    data: {
      calibration: images('cifar10-train20k-jpg.tar.gz', '512'),
      training: images('cifar10-train20k-jpg.tar.gz', take),
      evaluation: images('cifar10-test-jpg.tar.gz', judge),
    },
    steps: [...stepsOf(name)],
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
  const trained = report.ran.find(({ step }) => step === 'train')?.training?.metrics?.top1 ?? Number.NaN;
  const made = {
    name,
    trained,
    file: report.metrics!.top1!, // evaluation data is given
    bytes: statSync(`${stem}.onnx`).size,
    seconds: report.seconds,
    rate: report.imagesPerSecond,
  };
  writeFileSync(`${stem}.json`, JSON.stringify(made));
  return made;
}

console.log('row           | trained top-1 | file top-1 | kB of the file | images/s');
for (const name of asked.rows.split(',')) {
  const { trained, file, bytes, rate } = await row(name);
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const cells = [
    percent(trained).padStart(13),
    percent(file).padStart(10),
    (bytes / 1000).toFixed(0).padStart(14),
    rate.toFixed(0),
  ];
  console.log(`${name.padEnd(13)} | ${cells.join(' | ')}`);
}
await executor.close();
