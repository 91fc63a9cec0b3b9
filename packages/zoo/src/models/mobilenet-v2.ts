import { definePlugin } from '@espalier/core';
import { createModel, type Model } from '../create-model.js';
import { type FeatureMap, imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { batchNorm } from '../layers/batch-norm.js';
import { type ConvOptions, conv } from '../layers/conv.js';
import { flatten } from '../layers/flatten.js';
import { globalAveragePool } from '../layers/global-average-pool.js';
import { linear } from '../layers/linear.js';
import { relu6 } from '../layers/relu6.js';
import { scaleToEights } from '../scale-channels.js';
import { stemOption } from '../stem-option.js';

/** Expansion, output channels, blocks and first stride of each stage (table 2). */
const stages = [
  { expand: 1, channels: 16, blocks: 1, stride: 1 },
  { expand: 6, channels: 24, blocks: 2, stride: 2 },
  { expand: 6, channels: 32, blocks: 3, stride: 2 },
  { expand: 6, channels: 64, blocks: 4, stride: 2 },
  { expand: 6, channels: 96, blocks: 3, stride: 1 },
  { expand: 6, channels: 160, blocks: 3, stride: 2 },
  { expand: 6, channels: 320, blocks: 1, stride: 1 },
];

/**
 * MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381, table 2): 3,504,872 parameters with 1000 classes, 2,236,682 with
 * 10. The small stem begins without its first two strides.
 */
export const mobilenetV2 = definePlugin({
  kind: 'model',
  id: 'mobilenet-v2',
  about: 'MobileNetV2: inverted residuals of depthwise convolutions.',
  options: { ...imageOptions({ classes: 1000, size: 224, least: 32 }), stem: stemOption },
  create(options) {
    const { classes, width, seed } = options;
    const model = createModel({ name: 'mobilenet-v2', seed });
    const small = options.stem === 'small';
    const stem = { name: 'features.0', to: scaleToEights(32, width), kernel: 3, stride: small ? 1 : 2 };
    let x = convNormClip(model, imageInput(model, options), stem);
    let at = 1;
    for (const [stage, { expand, channels, blocks, stride }] of stages.entries()) {
      const to = scaleToEights(channels, width);
      const first = small && stage === 1 ? 1 : stride;
      for (let block = 0; block < blocks; block++, at++)
        x = invertedResidual(model, x, { name: `features.${at}`, to, expand, stride: block === 0 ? first : 1 });
    }
    x = convNormClip(model, x, { name: 'features.18', to: scaleToEights(1280, Math.max(1, width)), kernel: 1 });
    const features = flatten(model, globalAveragePool(model, x));
    const given = { weight: initial.normal(0.01), bias: initial.filled(0) };
    const last = { name: 'classifier.1', from: x.channels, to: classes, output: 'logits', ...given };
    return model.finish(linear(model, features, last), ['batch', classes]);
  },
});

interface Residual {
  readonly name: string;
  readonly to: number;
  readonly expand: number;
  readonly stride: number;
}

/** Widen by a 1x1 convolution, filter each channel, narrow without activation; add the input where shapes agree. */
function invertedResidual(model: Model, x: FeatureMap, { name, to, expand, stride }: Residual): FeatureMap {
  const wide = x.channels * expand;
  const inner = expand === 1 ? x : convNormClip(model, x, { name: `${name}.conv.0`, to: wide, kernel: 1 });
  const next = expand === 1 ? 0 : 1;
  const filtered = { name: `${name}.conv.${next}`, to: wide, kernel: 3, stride, groups: wide };
  const narrow = { name: `${name}.conv.${next + 1}`, to, kernel: 1, weight: initial.heFanOut };
  const out = batchNorm(model, conv(model, convNormClip(model, inner, filtered), narrow), `${name}.conv.${next + 2}`);
  if (stride !== 1 || x.channels !== to) return out;
  return { ...out, value: model.add('Add', [x.value, out.value], { name: `${name}.add` }) };
}

/** Convolution, batch norm and ReLU6, numbered 0, 1 and 2. */
function convNormClip(model: Model, x: FeatureMap, options: Omit<ConvOptions, 'weight'>): FeatureMap {
  const { name } = options;
  const made = conv(model, x, { ...options, name: `${name}.0`, weight: initial.heFanOut });
  return relu6(model, batchNorm(model, made, `${name}.1`), `${name}.2`);
}
