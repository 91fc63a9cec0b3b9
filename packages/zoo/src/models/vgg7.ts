import { definePlugin } from '@espalier/core';
import { createModel } from '../create-model.js';
import { imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { batchNorm } from '../layers/batch-norm.js';
import { conv } from '../layers/conv.js';
import { flatten } from '../layers/flatten.js';
import { linear } from '../layers/linear.js';
import { maxPool } from '../layers/max-pool.js';
import { relu } from '../layers/relu.js';
import { scaleChannels } from '../scale-channels.js';

const layers = [128, 128, 'pool', 256, 256, 'pool', 512, 512, 'pool'] as const;

/**
 * VGG7 (Li and Liu 2016, arXiv 1605.04711, section 3.2): 2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-1024FC-softmax, batch
 * norm after each convolution, no biases before it. 12,978,058 parameters and 607.5 M multiply-adds in its
 * convolutions for 32x32 images. Layers are numbered as in torchvision's VGG with batch norm.
 */
export const vgg7 = definePlugin({
  kind: 'model',
  id: 'vgg7',
  about: 'VGG7, the network on which low-bit methods are compared, for small images such as CIFAR.',
  options: imageOptions({ classes: 10, size: 32, least: 8 }),
  create(options) {
    const { classes, width, seed } = options;
    const model = createModel({ name: 'vgg7', seed });
    let x = imageInput(model, options);
    let at = 0;
    for (const layer of layers) {
      if (layer === 'pool') {
        x = maxPool(model, x, { name: `features.${at}`, kernel: 2, stride: 2 });
        at += 1;
        continue;
      }
      const to = scaleChannels(layer, width);
      x = conv(model, x, { name: `features.${at}`, to, kernel: 3, weight: initial.heFanOut });
      x = relu(model, batchNorm(model, x, `features.${at + 1}`), `features.${at + 2}`);
      at += 3;
    }
    const given = { weight: initial.normal(0.01), bias: initial.filled(0) };
    const [from, middle] = [x.channels * x.size ** 2, scaleChannels(1024, width)];
    const hidden = linear(model, flatten(model, x), { name: 'classifier.0', from, to: middle, ...given });
    const active = relu(model, { value: hidden, channels: middle, size: 1 }, 'classifier.1').value;
    const last = { name: 'classifier.2', from: middle, to: classes, output: 'logits', ...given };
    return model.finish(linear(model, active, last), ['batch', classes]);
  },
});
