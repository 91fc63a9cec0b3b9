import { definePlugin } from '@espalier/core';
import { createModel } from '../create-model.js';
import { imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { basicBlock, projection } from '../layers/basic-block.js';
import { batchNorm } from '../layers/batch-norm.js';
import { conv } from '../layers/conv.js';
import { flatten } from '../layers/flatten.js';
import { globalAveragePool } from '../layers/global-average-pool.js';
import { linear } from '../layers/linear.js';
import { maxPool } from '../layers/max-pool.js';
import { relu } from '../layers/relu.js';
import { scaleChannels } from '../scale-channels.js';
import { stemOption } from '../stem-option.js';

/**
 * ResNet-18 (He et al. 2015, arXiv 1512.03385, table 1): 11,689,512 parameters with 1000 classes. The small stem is
 * one 3x3 convolution without strides or pooling: 11,173,962 parameters with 10 classes.
 */
export const resnet18 = definePlugin({
  kind: 'model',
  id: 'resnet18',
  about: 'Residual network of 18 layers for photographs.',
  options: { ...imageOptions({ classes: 1000, size: 224, least: 32 }), stem: stemOption },
  create(options) {
    const { classes, width, seed, stem } = options;
    const model = createModel({ name: 'resnet18', seed });
    const first = { name: 'conv1', to: scaleChannels(64, width), weight: initial.heFanOut };
    const window = stem === 'small' ? { kernel: 3 } : { kernel: 7, stride: 2 };
    let x = conv(model, imageInput(model, options), { ...first, ...window });
    x = relu(model, batchNorm(model, x, 'bn1'), 'relu');
    if (stem === 'imagenet') x = maxPool(model, x, { name: 'maxpool', kernel: 3, stride: 2, pad: 1 });
    for (const [stage, channels] of [64, 128, 256, 512].entries()) {
      for (let block = 0; block < 2; block++) {
        const stride = stage > 0 && block === 0 ? 2 : 1;
        const name = `layer${stage + 1}.${block}`;
        x = basicBlock(model, x, { name, to: scaleChannels(channels, width), stride, shortcut: projection });
      }
    }
    const features = flatten(model, globalAveragePool(model, x));
    const logits = linear(model, features, { name: 'fc', from: x.channels, to: classes, output: 'logits' });
    return model.finish(logits, ['batch', classes]);
  },
});
