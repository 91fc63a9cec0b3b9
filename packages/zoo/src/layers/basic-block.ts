import type { Model } from '../create-model.js';
import type { FeatureMap } from '../feature-map.js';
import { initial } from '../initial.js';
import { batchNorm } from './batch-norm.js';
import { conv } from './conv.js';
import { relu } from './relu.js';

/** The shortcut around a block: a projection by a 1x1 convolution (option B), or the input thinned and padded (option A). */
export type Shortcut = (
  model: Model,
  x: FeatureMap,
  of: { readonly name: string; readonly to: number; readonly stride: number },
) => FeatureMap;

/** The place, width and stride of a block. */
export interface BlockOptions {
  readonly name: string;
  readonly to: number;
  readonly stride: number;
  readonly shortcut: Shortcut;
}

/** Two 3x3 convolutions and what goes round them (He et al. 2015, arXiv 1512.03385, fig. 2). */
export function basicBlock(model: Model, x: FeatureMap, { name, to, stride, shortcut }: BlockOptions): FeatureMap {
  const weight = initial.heFanOut;
  const first = conv(model, x, { name: `${name}.conv1`, to, kernel: 3, stride, weight });
  const active = relu(model, batchNorm(model, first, `${name}.bn1`), `${name}.relu`);
  const second = conv(model, active, { name: `${name}.conv2`, to, kernel: 3, weight });
  const main = batchNorm(model, second, `${name}.bn2`);
  const round = stride === 1 && x.channels === to ? x : shortcut(model, x, { name, to, stride });
  const sum = { ...main, value: model.add('Add', [main.value, round.value], { name: `${name}.add` }) };
  return relu(model, sum, `${name}.relu`);
}

/** Option B: a 1x1 convolution and its batch norm, named `downsample.0` and `downsample.1` as in torchvision. */
export const projection: Shortcut = (model, x, { name, to, stride }) => {
  const made = conv(model, x, { name: `${name}.downsample.0`, to, kernel: 1, stride, weight: initial.heFanOut });
  return batchNorm(model, made, `${name}.downsample.1`);
};

/** Option A: every second row and column, and channels of zeros, half of them before the others; no weights. */
export const paddedIdentity: Shortcut = (model, x, { name, to, stride }) => {
  const more = to - x.channels;
  const size = Math.ceil(x.size / stride);
  const places = [
    [0, 0],
    [x.size, x.size],
    [2, 3],
    [stride, stride],
  ].map(model.longs);
  const thinned = stride === 1 ? x.value : model.add('Slice', [x.value, ...places], { name: `${name}.shortcut.slice` });
  const before = Math.floor(more / 2);
  const pads = model.longs([0, before, 0, 0, 0, more - before, 0, 0]);
  const value = more === 0 ? thinned : model.add('Pad', [thinned, pads], { name: `${name}.shortcut.pad` });
  return { value, channels: to, size };
};
