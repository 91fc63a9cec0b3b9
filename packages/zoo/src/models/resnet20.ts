import { definePlugin } from '@espalier/core';
import { cifarResnet, cifarResnetOptions } from './cifar-resnet.js';

/** ResNet-20 for CIFAR (He et al. 2015, section 4.2): 269,722 parameters with shortcut A, 272,474 with B. */
export const resnet20 = definePlugin({
  kind: 'model',
  id: 'resnet20',
  about: 'Residual network of 20 layers for small images such as CIFAR.',
  options: cifarResnetOptions,
  create: (options) => cifarResnet(20, options),
});
