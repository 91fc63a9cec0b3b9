import { int, ints } from '@espalier/core';
import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';
import { windows } from './conv.js';

/** The window of a pooling layer. */
export interface PoolOptions {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
  readonly pad?: number;
}

/** The largest value of each square window. */
export function maxPool(model: Model, x: FeatureMap, { name, kernel, stride, pad = 0 }: PoolOptions): FeatureMap {
  const attributes = {
    ceil_mode: int(0),
    kernel_shape: ints([kernel, kernel]),
    pads: ints([pad, pad, pad, pad]),
    strides: ints([stride, stride]),
  };
  return {
    ...x,
    value: model.add('MaxPool', [x.value], { name, attributes }),
    size: windows(x.size, { kernel, stride, pad }),
  };
}
