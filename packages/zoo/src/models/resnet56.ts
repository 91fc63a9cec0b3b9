import { definePlugin } from '@espalier/core';
import { cifarResnet, cifarResnetOptions } from './cifar-resnet.js';

/** ResNet-56 for CIFAR (He et al. 2015, section 4.2): 853,018 parameters with shortcut A, 855,770 with B. */
export const resnet56 = definePlugin({
  kind: 'model',
  id: 'resnet56',
  about: 'Residual network of 56 layers for small images such as CIFAR.',
  options: cifarResnetOptions,
  create: (options) => cifarResnet(56, options),
});
