import { int, ints } from '@espalier/core';
import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';
import type { Initial } from '../initial.js';

/** A square convolution. */
export interface ConvOptions {
  readonly name: string;
  /** Output channels. */
  readonly to: number;
  readonly kernel: number;
  readonly stride?: number;
  /** Zeros on each side. Default: as many as keep the size at stride 1. */
  readonly pad?: number;
  readonly groups?: number;
  readonly weight: Initial;
  /** No bias when left out. */
  readonly bias?: Initial;
}

/** A convolution with weights `NAME.weight` [to, channels / groups, kernel, kernel] and `NAME.bias` [to]. */
export function conv(model: Model, x: FeatureMap, options: ConvOptions): FeatureMap {
  const { name, to, kernel, stride = 1, groups = 1, pad = (kernel - 1) / 2 } = options;
  const weight = model.weight(`${name}.weight`, [to, x.channels / groups, kernel, kernel], options.weight);
  const bias = options.bias && model.weight(`${name}.bias`, [to], options.bias);
  const value = model.add('Conv', bias === undefined ? [x.value, weight] : [x.value, weight, bias], {
    name,
    attributes: {
      dilations: ints([1, 1]),
      group: int(groups),
      kernel_shape: ints([kernel, kernel]),
      pads: ints([pad, pad, pad, pad]),
      strides: ints([stride, stride]),
    },
  });
  return { value, channels: to, size: windows(x.size, { kernel, stride, pad }) };
}

/** The number of windows that fit: ⌊(size + 2·pad - kernel) / stride⌋ + 1. */
export const windows = (
  size: number,
  { kernel, stride, pad }: { readonly kernel: number; readonly stride: number; readonly pad: number },
): number => Math.floor((size + 2 * pad - kernel) / stride) + 1;
