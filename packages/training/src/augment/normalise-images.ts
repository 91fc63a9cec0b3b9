import { floats, type Tensor } from '@espalier/core';
import { badRequest } from '../errors.js';
import { imagePlanes } from './image-planes.js';

/** Options for converting pixels to a network's input. */
export interface NormaliseOptions {
  /** Factor of raw values. Default: 1/255 for bytes, 1 for floats. */
  readonly scale?: number;
  /** Subtracted after scaling: one number for each channel, or one for all. Default: 0. */
  readonly mean?: readonly number[];
  /** Divides after that. Default: 1. */
  readonly std?: readonly number[];
  readonly layout?: 'nchw' | 'nhwc';
}

/**
 * (pixel · scale - mean[c]) / std[c] as float32. A byte 255 with mean 0.5 and std 0.5 becomes 1.
 * @throws TRAINING_REQUEST for what is no batch of images, or a list that does not fit its channels.
 */
export function normaliseImages(images: Tensor, { scale, mean = [0], std = [1], layout }: NormaliseOptions): Tensor {
  const { samples, planes, height, width, depth } = imagePlanes(images, layout);
  if (images.dtype !== 'float32' && images.dtype !== 'uint8') {
    throw badRequest('normalisation', { expected: 'float32 or uint8 images', found: images.dtype });
  }
  const channels = planes * depth;
  for (const [name, list] of [
    ['mean', mean],
    ['std', std],
  ] as const) {
    if ((list.length === 1 || list.length === channels) && list.every((each) => name === 'mean' || each > 0)) continue;
    throw badRequest(`normalisation, ${name}`, {
      expected: `1 or ${channels} numbers${name === 'std' ? ' above 0' : ''}`,
      found: `[${list.join(', ')}]`,
    });
  }
  const { data } = images;
  const out = new Float32Array(data.length);
  const factor = scale ?? (images.dtype === 'uint8' ? 1 / 255 : 1);
  const pixels = height * width;
  for (let c = 0; c < channels; c++) {
    const gain = factor / std[std.length === 1 ? 0 : c]!;
    const offset = mean[mean.length === 1 ? 0 : c]! / std[std.length === 1 ? 0 : c]!;
    for (let n = 0; n < samples; n++) {
      const start = depth === 1 ? (n * planes + c) * pixels : n * pixels * depth + c;
      const end = start + pixels * depth;
      for (let i = start; i < end; i += depth) out[i] = data[i]! * gain - offset;
    }
  }
  return floats(out, images.shape);
}
