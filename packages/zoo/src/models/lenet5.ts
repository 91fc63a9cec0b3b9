import { definePlugin } from '@espalier/core';
import { createModel } from '../create-model.js';
import { imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { conv } from '../layers/conv.js';
import { flatten } from '../layers/flatten.js';
import { linear } from '../layers/linear.js';
import { maxPool } from '../layers/max-pool.js';
import { relu } from '../layers/relu.js';
import { scaleChannels } from '../scale-channels.js';

/**
 * LeNet-5 (LeCun et al. 1998, doi 10.1109/5.726791) as it is built today: ReLU, max pooling, every map connected.
 * 61,706 parameters for 28x28 (padded by 2, as its authors padded MNIST) and for 32x32 images of one channel.
 */
export const lenet5 = definePlugin({
  kind: 'model',
  id: 'lenet5',
  about: 'LeNet-5 with ReLU and max pooling, for small images such as MNIST.',
  options: imageOptions({ classes: 10, size: 28, least: 16, channels: 1 }),
  create(options) {
    const { classes, size, width, seed } = options;
    const model = createModel({ name: 'lenet5', seed });
    const bias = (from: number) => initial.uniform(1 / Math.sqrt(from * 25));
    let x = imageInput(model, options);
    for (const [at, channels] of [6, 16].entries()) {
      const name = `conv${at + 1}`;
      const window = { to: scaleChannels(channels, width), kernel: 5, pad: at === 0 && size === 28 ? 2 : 0 };
      x = conv(model, x, { name, ...window, weight: initial.fanIn, bias: bias(x.channels) });
      x = maxPool(model, relu(model, x, `relu${at + 1}`), { name: `pool${at + 1}`, kernel: 2, stride: 2 });
    }
    const features = { value: flatten(model, x), channels: x.channels * x.size ** 2, size: 1 };
    const hidden = [120, 84].reduce((from, count, at) => {
      const to = scaleChannels(count, width);
      const value = linear(model, from.value, { name: `fc${at + 1}`, from: from.channels, to });
      return relu(model, { value, channels: to, size: 1 }, `relu${at + 3}`);
    }, features);
    const logits = linear(model, hidden.value, { name: 'fc3', from: hidden.channels, to: classes, output: 'logits' });
    return model.finish(logits, ['batch', classes]);
  },
});
