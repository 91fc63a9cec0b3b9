import { intsOf, textOf } from '@espalier/core';
import type { Call } from '../kernel.js';
import { refuse } from '../operands.js';

/** A window over images, always with two spatial axes: one-dimensional ones get a leading axis of size 1. */
export interface Window {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Borders at the beginning and at the end. */
  readonly begin: Pair;
  readonly end: Pair;
}

/** Along rows, and along columns. */
export type Pair = readonly [number, number];

/** The size of an image. */
export interface Image {
  readonly batch: number;
  readonly channels: number;
  readonly size: Pair;
}

/** Two numbers from a list of one or two; a missing first one is `missing`. */
export const pairOf = (list: readonly number[], missing: number): Pair =>
  list.length === 1 ? [missing, list[0]!] : [list[0]!, list[1]!]; // one or two, as checked by imageOf

/** The image behind a value [N, C, H, W] or [N, C, W]. */
export function imageOf(c: Pick<Call, 'node'>, shape: readonly number[]): Image {
  if (shape.length < 3 || shape.length > 4) refuse(c, `${shape.length - 2} spatial axes`);
  const [batch, channels, ...size] = shape as [number, number, ...number[]]; // three axes at least
  return { batch, channels, size: pairOf(size, 1) };
}

/** The window of a node, automatic padding resolved. */
export function windowOf(c: Pick<Call, 'node'>, image: Image, kernelShape: readonly number[]): Window {
  const kernel = pairOf(kernelShape, 1);
  const strides = pairOf(
    intsOf(
      c.node,
      'strides',
      kernelShape.map(() => 1),
    ),
    1,
  );
  const dilations = pairOf(
    intsOf(
      c.node,
      'dilations',
      kernelShape.map(() => 1),
    ),
    1,
  );
  const auto = textOf(c.node, 'auto_pad', 'NOTSET');
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const total = ([0, 1] as const).map((i) => {
      const steps = Math.ceil(image.size[i] / strides[i]);
      return Math.max(0, (steps - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - image.size[i]);
    });
    const small = total.map((pad) => Math.floor(pad / 2)) as unknown as Pair; // two, as the axes are
    const large = total.map((pad) => Math.ceil(pad / 2)) as unknown as Pair;
    const upper = auto === 'SAME_UPPER';
    return { kernel, strides, dilations, begin: upper ? small : large, end: upper ? large : small };
  }
  const pads = auto === 'VALID' ? [] : intsOf(c.node, 'pads', []);
  const half = pads.length / 2;
  const begin = half ? pairOf(pads.slice(0, half), 0) : ([0, 0] as const);
  const end = half ? pairOf(pads.slice(half), 0) : ([0, 0] as const);
  return { kernel, strides, dilations, begin, end };
}

/** Number of places of a window along one axis. */
export const places = (window: Window, image: Image, axis: 0 | 1, ceil = false): number => {
  const room =
    image.size[axis] + window.begin[axis] + window.end[axis] - (window.kernel[axis] - 1) * window.dilations[axis] - 1;
  const count = (ceil ? Math.ceil : Math.floor)(room / window.strides[axis]) + 1;
  // A last window that begins behind the image and its first border does not count.
  if (ceil && (count - 1) * window.strides[axis] >= image.size[axis] + window.begin[axis])
    return Math.max(0, count - 1);
  return Math.max(0, count);
};

/** The spatial part of an output's shape, of the rank of the input. */
export const spatialShape = (rank: number, size: Pair): readonly number[] => (rank === 3 ? [size[1]] : size);

/** The rows and columns that ConvTranspose makes of an image. Automatic padding and `output_shape` are refused. */
export function transposedSize(c: Pick<Call, 'node'>, image: Image, window: Window): Pair {
  if (textOf(c.node, 'auto_pad', 'NOTSET').startsWith('SAME') || c.node.attributes.has('output_shape'))
    refuse(c, 'automatic padding or output_shape');
  const more = pairOf(intsOf(c.node, 'output_padding', [0, 0]), 0);
  const along = (i: 0 | 1): number => {
    const reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    return window.strides[i] * (image.size[i] - 1) + more[i] + reach - window.begin[i] - window.end[i];
  };
  return [along(0), along(1)];
}
