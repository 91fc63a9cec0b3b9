import type { Option } from '@espalier/core';

/** The strides at the start: the published networks begin with strides that are too large for a 32x32 image. */
export const stemOption = {
  type: 'choice',
  of: ['imagenet', 'small'],
  default: 'imagenet',
  about: 'first layers as published for ImageNet, or without their strides for small images',
} as const satisfies Option;
