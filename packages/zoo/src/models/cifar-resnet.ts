import type { Graph, Options, Resolved } from '@espalier/core';
import { createModel } from '../create-model.js';
import { imageInput } from '../feature-map.js';
import { imageOptions } from '../image-options.js';
import { initial } from '../initial.js';
import { basicBlock, paddedIdentity, projection } from '../layers/basic-block.js';
import { batchNorm } from '../layers/batch-norm.js';
import { conv } from '../layers/conv.js';
import { flatten } from '../layers/flatten.js';
import { globalAveragePool } from '../layers/global-average-pool.js';
import { linear } from '../layers/linear.js';
import { relu } from '../layers/relu.js';
import { scaleChannels } from '../scale-channels.js';

/** Options of the residual networks for CIFAR. */
export const cifarResnetOptions = {
  ...imageOptions({ classes: 10, size: 32, least: 4 }),
  shortcut: {
    type: 'choice',
    of: ['A', 'B'],
    default: 'A',
    about: 'where the shape changes: A pads with zeros (no weights), B projects with a 1x1 convolution',
  },
} as const satisfies Options;

/**
 * A residual network of 6n + 2 layers for small images: three stages of n blocks with 16, 32 and 64 channels (He et
 * al. 2015, arXiv 1512.03385, section 4.2). Names are those of torchvision's ResNet: `layer1.0.conv1.weight`, `fc`.
 */
export function cifarResnet(layers: number, options: Resolved<typeof cifarResnetOptions>): Graph {
  const { classes, width, seed } = options;
  const model = createModel({ name: `resnet${layers}`, seed });
  const shortcut = options.shortcut === 'A' ? paddedIdentity : projection;
  const stem = { name: 'conv1', to: scaleChannels(16, width), kernel: 3, weight: initial.heFanOut };
  let x = relu(model, batchNorm(model, conv(model, imageInput(model, options), stem), 'bn1'), 'relu');
  for (const [stage, channels] of [16, 32, 64].entries()) {
    for (let block = 0; block < (layers - 2) / 6; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const name = `layer${stage + 1}.${block}`;
      x = basicBlock(model, x, { name, to: scaleChannels(channels, width), stride, shortcut });
    }
  }
  const features = flatten(model, globalAveragePool(model, x));
  const logits = linear(model, features, { name: 'fc', from: x.channels, to: classes, output: 'logits' });
  return model.finish(logits, ['batch', classes]);
}
