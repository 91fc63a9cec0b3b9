import { definePlugin } from '@espalier/core';
import { cifarResnet, cifarResnetOptions } from './cifar-resnet.js';

/** ResNet-32 for CIFAR (He et al. 2015, section 4.2): 464,154 parameters with shortcut A, 466,906 with B. */
export const resnet32 = definePlugin({
  kind: 'model',
  id: 'resnet32',
  about: 'Residual network of 32 layers for small images such as CIFAR.',
  options: cifarResnetOptions,
  create: (options) => cifarResnet(32, options),
});
