import { definePlugin } from '@espalier/core';
import { createModel } from '../create-model.js';
import { imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { adaptiveAveragePool } from '../layers/adaptive-average-pool.js';
import { conv } from '../layers/conv.js';
import { flatten } from '../layers/flatten.js';
import { linear } from '../layers/linear.js';
import { maxPool } from '../layers/max-pool.js';
import { relu } from '../layers/relu.js';
import { scaleChannels } from '../scale-channels.js';

/** The convolutions, at their places within `features`; each is followed by a ReLU. */
const convolutions = [
  { at: 0, channels: 64, kernel: 11, stride: 4, pad: 2, pool: true },
  { at: 3, channels: 192, kernel: 5, stride: 1, pad: 2, pool: true },
  { at: 6, channels: 384, kernel: 3, stride: 1, pad: 1, pool: false },
  { at: 8, channels: 256, kernel: 3, stride: 1, pad: 1, pool: false },
  { at: 10, channels: 256, kernel: 3, stride: 1, pad: 1, pool: true },
];

/**
 * AlexNet in the form of Krizhevsky 2014 (arXiv 1404.5997, figure 2 in one column), as torchvision has it: 61,100,840
 * parameters with 1000 classes, 57,044,810 with 10. Dropout is no part of the inference form.
 */
export const alexnet = definePlugin({
  kind: 'model',
  id: 'alexnet',
  about: 'AlexNet: five convolutions and three large fully connected layers.',
  options: imageOptions({ classes: 1000, size: 224, least: 63 }),
  create(options) {
    const { classes, width, seed } = options;
    const model = createModel({ name: 'alexnet', seed });
    let x = imageInput(model, options);
    for (const { at, channels, pool, ...window } of convolutions) {
      const bias = initial.uniform(1 / (Math.sqrt(x.channels) * window.kernel));
      const to = scaleChannels(channels, width);
      x = conv(model, x, { name: `features.${at}`, to, ...window, weight: initial.fanIn, bias });
      x = relu(model, x, `features.${at + 1}`);
      if (pool) x = maxPool(model, x, { name: `features.${at + 2}`, kernel: 3, stride: 2 });
    }
    x = adaptiveAveragePool(model, x, 6);
    let hidden = { value: flatten(model, x), channels: x.channels * x.size ** 2, size: 1 };
    for (const at of [1, 4]) {
      const to = scaleChannels(4096, width);
      const value = linear(model, hidden.value, { name: `classifier.${at}`, from: hidden.channels, to });
      hidden = relu(model, { value, channels: to, size: 1 }, `classifier.${at + 1}`);
    }
    const last = { name: 'classifier.6', from: hidden.channels, to: classes, output: 'logits' };
    return model.finish(linear(model, hidden.value, last), ['batch', classes]);
  },
});
