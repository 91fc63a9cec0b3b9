import { definePlugin, int } from '@espalier/core';
import { createModel, type Model } from '../create-model.js';
import { type FeatureMap, imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { batchNorm } from '../layers/batch-norm.js';
import { channelShuffle } from '../layers/channel-shuffle.js';
import { conv } from '../layers/conv.js';
import { flatten } from '../layers/flatten.js';
import { globalAveragePool } from '../layers/global-average-pool.js';
import { linear } from '../layers/linear.js';
import { maxPool } from '../layers/max-pool.js';
import { relu } from '../layers/relu.js';
import { scaleChannels } from '../scale-channels.js';
import { stemOption } from '../stem-option.js';

interface Widths {
  readonly stages: readonly [number, number, number];
  readonly last: number;
}

/** The four published widths (table 5); they are not multiples of each other. */
const published: ReadonlyMap<number, Widths> = new Map([
  [0.5, { stages: [48, 96, 192], last: 1024 }],
  [1, { stages: [116, 232, 464], last: 1024 }],
  [1.5, { stages: [176, 352, 704], last: 1024 }],
  [2, { stages: [244, 488, 976], last: 2048 }],
]);

/** Any other width: that of 1 scaled, halves kept whole; the ends as they are published nearby. */
function widthsOf(width: number): Widths {
  const first = 2 * scaleChannels(58, width);
  return published.get(width) ?? { stages: [first, 2 * first, 4 * first], last: width < 2 ? 1024 : 2048 };
}

/**
 * ShuffleNetV2 (Ma et al. 2018, arXiv 1807.11164, table 5): 2,278,604 parameters with 1000 classes, 1,263,854 with 10.
 * The small stem begins without its stride and its pooling.
 */
export const shufflenetV2 = definePlugin({
  kind: 'model',
  id: 'shufflenet-v2',
  about: 'ShuffleNetV2: half of the channels passes each block untouched, then halves are shuffled.',
  options: { ...imageOptions({ classes: 1000, size: 224, least: 32 }), stem: stemOption },
  create(options) {
    const { classes, width, seed } = options;
    const model = createModel({ name: 'shufflenet-v2', seed });
    const { stages, last } = widthsOf(width);
    const small = options.stem === 'small';
    const stem = { name: 'conv1.0', to: 24, kernel: 3, stride: small ? 1 : 2, weight: initial.fanIn };
    let x = conv(model, imageInput(model, options), stem);
    x = relu(model, batchNorm(model, x, 'conv1.1'), 'conv1.2');
    if (!small) x = maxPool(model, x, { name: 'maxpool', kernel: 3, stride: 2, pad: 1 });
    for (const [stage, to] of stages.entries()) {
      x = halving(model, x, { name: `stage${stage + 2}.0`, to });
      for (let block = 1; block < [4, 8, 4][stage]!; block++) x = passing(model, x, `stage${stage + 2}.${block}`);
    }
    x = pointwise(model, x, { name: 'conv5', at: 0, to: last });
    const features = flatten(model, globalAveragePool(model, x));
    const logits = linear(model, features, { name: 'fc', from: last, to: classes, output: 'logits' });
    return model.finish(logits, ['batch', classes]);
  },
});

/** The first block of a stage (fig. 3d): both branches see all channels and halve the size. */
function halving(
  model: Model,
  x: FeatureMap,
  { name, to }: { readonly name: string; readonly to: number },
): FeatureMap {
  const filtered = depthwise(model, x, { name: `${name}.branch1`, at: 0, stride: 2 });
  const left = pointwise(model, filtered, { name: `${name}.branch1`, at: 2, to: to / 2 });
  return join(model, [left, threeLayers(model, x, { name: `${name}.branch2`, to: to / 2, stride: 2 })], name);
}

/** Every other block (fig. 3c): the first half of the channels passes, the second half is worked on. */
function passing(model: Model, x: FeatureMap, name: string): FeatureMap {
  const half = x.channels / 2;
  const parts = model.addAll('Split', [x.value, model.longs([half, half])], {
    name: `${name}.split`,
    outputs: 2,
    attributes: { axis: int(1) },
  });
  const [left, right] = parts.map((value) => ({ ...x, value, channels: half }));
  return join(model, [left!, threeLayers(model, right!, { name: `${name}.branch2`, to: half, stride: 1 })], name);
}

function join(model: Model, [left, right]: readonly [FeatureMap, FeatureMap], name: string): FeatureMap {
  const value = model.add('Concat', [left.value, right.value], {
    name: `${name}.concat`,
    attributes: { axis: int(1) },
  });
  return channelShuffle(model, { ...left, value, channels: left.channels + right.channels }, `${name}.shuffle`);
}

function threeLayers(
  model: Model,
  x: FeatureMap,
  { name, to, stride }: { readonly name: string; readonly to: number; readonly stride: number },
): FeatureMap {
  const mixed = pointwise(model, x, { name, at: 0, to });
  return pointwise(model, depthwise(model, mixed, { name, at: 3, stride }), { name, at: 5, to });
}

interface Place {
  readonly name: string;
  /** Number of the convolution within its branch. */
  readonly at: number;
}

/** 1x1 convolution, batch norm, ReLU. */
function pointwise(model: Model, x: FeatureMap, { name, at, to }: Place & { readonly to: number }): FeatureMap {
  const made = conv(model, x, { name: `${name}.${at}`, to, kernel: 1, weight: initial.fanIn });
  return relu(model, batchNorm(model, made, `${name}.${at + 1}`), `${name}.${at + 2}`);
}

/** 3x3 convolution of each channel, batch norm. */
function depthwise(model: Model, x: FeatureMap, { name, at, stride }: Place & { readonly stride: number }): FeatureMap {
  const window = { to: x.channels, groups: x.channels, kernel: 3, stride };
  return batchNorm(
    model,
    conv(model, x, { name: `${name}.${at}`, ...window, weight: initial.fanIn }),
    `${name}.${at + 1}`,
  );
}
