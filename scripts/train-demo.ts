/**
 * Trains the network of `espalier demo` on the synthetic images and writes it as a TypeScript module.
 *
 *     tsx --conditions=@espalier/source scripts/train-demo.ts [--epochs N] [--out FILE]
 *     tsx --conditions=@espalier/source scripts/train-demo.ts --check      compares gradients with differences
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildGraph, checkGraph, createRandom, type Dataset, type Graph, joinBytes, memoryFiles } from '@espalier/core';
import { batchesOf, labelsOf, preprocess, subset, synthetic } from '@espalier/datasets';
import { encodeOnnx } from '@espalier/onnx';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { checkGradients } from './train-demo/check-gradients.js';
import type { Batch, Layer, Parameter } from './train-demo/layer.js';
import { crossEntropy } from './train-demo/loss.js';
import { demoNetwork } from './train-demo/network.js';

const seed = 5;
const batchSize = 64;
const epochSize = 8000;
const peak = 0.1;
const momentum = 0.9;
const weightDecay = 5e-4;
const side = 16;
const allocate = (length: number) => new Float32Array(length);

const { values: flags } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    epochs: { type: 'string', default: '10' },
    out: { type: 'string', default: 'apps/cli/src/demo/network.ts' },
  },
});

if (flags.check) checkGradients();
else await train(Number(flags.epochs), flags.out);

async function train(epochs: number, out: string): Promise<void> {
  const context = { files: memoryFiles(), seed };
  // Pixels from 0 to 255 become 0 to 1 and nothing else, so that the network needs no preprocessing flags.
  // Every epoch sees new images, so that the network cannot learn any by heart.
  const training = preprocess(await synthetic({ split: 'train', count: epochs * epochSize })(context));
  const test = preprocess(await synthetic({ split: 'test' })(context));
  const network = demoNetwork({ allocate, normal: createRandom(seed).fork('weights').normal });
  const order = createRandom(seed).permutation(training.size);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const began = performance.now();
    const images = subset(training, order.subarray(epoch * epochSize, (epoch + 1) * epochSize));
    const seen = await trainEpoch(network, images, { epoch, epochs });
    const facts = [`loss ${seen.loss.toFixed(4)}`, `training ${seen.accuracy.toFixed(4)}`];
    const measured = (await accuracy(network, test)).toFixed(4);
    const seconds = Math.round((performance.now() - began) / 1000);
    process.stderr.write(`epoch ${epoch + 1}: ${facts.join(', ')}, test ${measured}, ${seconds} s\n`);
  }
  const bytes = joinBytes(encodeOnnx(graphOf(network)));
  const measured = await verify(bytes, test);
  if (measured < 0.95) throw new Error(`the network reaches only ${measured} in onnxruntime: nothing written`);
  await writeFile(out, moduleOf(bytes, { measured, network }));
  process.stderr.write(`${out}: ${bytes.length} bytes of ONNX, test accuracy ${measured} in onnxruntime\n`);
}

async function trainEpoch(
  network: Layer,
  dataset: Dataset,
  { epoch, epochs }: { readonly epoch: number; readonly epochs: number },
): Promise<{ readonly loss: number; readonly accuracy: number }> {
  const perEpoch = Math.floor(epochSize / batchSize);
  let [loss, right, seen, step] = [0, 0, 0, epoch * perEpoch];
  for await (const { images, labels } of batches(dataset, true)) {
    const result = crossEntropy(network.forward(images, true), labels, allocate);
    network.backward(result.gradient);
    const rate = learningRate(step++, epochs * perEpoch);
    for (const each of network.parameters) update(each, rate);
    loss += result.value * images.count;
    right += result.right;
    seen += images.count;
  }
  return { loss: loss / seen, accuracy: right / seen };
}

/** A hundred steps of warming up, then half a cosine down to zero (Loshchilov and Hutter 2017, arXiv 1608.03983). */
const learningRate = (step: number, steps: number): number =>
  (peak * Math.min(1, (step + 1) / 100) * (1 + Math.cos((Math.PI * step) / steps))) / 2;

/** Momentum with weight decay in the gradient: v = m v + g + d w, w -= rate v. Leaves the gradient at zero. */
function update({ value, gradient, velocity, decay }: Parameter, rate: number): void {
  for (let i = 0; i < value.length; i++) {
    velocity[i] = momentum * velocity[i]! + gradient[i]! + (decay ? weightDecay * value[i]! : 0);
    value[i] = value[i]! - rate * velocity[i]!;
  }
  gradient.fill(0);
}

async function* batches(dataset: Dataset, dropLast: boolean) {
  const options = { batch: batchSize, feeds: ['image', 'label'], dropLast };
  for await (const feeds of batchesOf(dataset, options)()) {
    const [images, labels] = [feeds.get('image')!, feeds.get('label')!];
    const data = images.data as Float32Array; // preprocess makes float32
    const batch: Batch = { count: images.shape[0]!, channels: 3, side, data };
    yield { images: batch, labels: labels.data as Int32Array }; // labels are int32
  }
}

async function accuracy(network: Layer, dataset: Dataset): Promise<number> {
  let right = 0;
  for await (const { images, labels } of batches(dataset, false)) {
    right += crossEntropy(network.forward(images, false), labels, allocate).right;
  }
  return right / dataset.size;
}

function graphOf(network: Layer): Graph {
  const builder = buildGraph();
  const logits = network.emit(builder, builder.input('image', 'float32', ['batch', 3, side, side]));
  builder.info(logits, { dtype: 'float32', shape: ['batch', 10] });
  builder.output(logits);
  return checkGraph({ ...builder.finish(), name: 'demo', provenance: { producer: 'espalier' } });
}

async function verify(bytes: Uint8Array, dataset: Dataset): Promise<number> {
  const session = await InferenceSession.create(bytes);
  const labels = await labelsOf(dataset);
  let [right, at] = [0, 0];
  for await (const { images } of batches(dataset, false)) {
    const shape = [images.count, 3, side, side];
    const result = await session.run({ image: new Tensor('float32', images.data as Float32Array, shape) });
    const logits = result['logits']!.data as Float32Array; // the network's only output is float32
    for (let s = 0; s < images.count; s++, at++) {
      const row = logits.subarray(s * 10, s * 10 + 10);
      if (row.indexOf(Math.max(...row)) === labels[at]) right++;
    }
  }
  await session.release();
  return right / dataset.size;
}

function moduleOf(bytes: Uint8Array, facts: { readonly measured: number; readonly network: Layer }): string {
  const parameters = facts.network.parameters.reduce((sum, { value }) => sum + value.length, 0);
  return [
    '// Made by scripts/train-demo.ts; do not edit.',
    '',
    '/**',
    ` * The network of the demo as an ONNX file in base64: ${parameters} trained parameters, batch norms unfolded, input`,
    ` * \`image\` float32 [batch, 3, ${side}, ${side}] as pixel / 255, output \`logits\` [batch, 10].`,
    ` * Top-1 on the test split of \`synthetic\`: ${(100 * facts.measured).toFixed(2)} %.`,
    ' */',
    'export const demoNetwork = (): Uint8Array => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));',
    '',
    'const base64 =',
    `  '${Buffer.from(bytes).toString('base64')}';`,
    '',
  ].join('\n');
}
