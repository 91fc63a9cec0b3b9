import { intsOf, textOf } from '@espalier/core';
import { windowOf } from '@espalier/ops';
import type { Call } from '../kernel.js';
import { refuse } from '../operands.js';

/** A window over images, always with two spatial axes: one-dimensional ones get a leading axis of size 1. */
export interface ImageWindow {
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

/** The window of a node over an image, automatic padding resolved. */
export function imageWindow({ node }: Pick<Call, 'node'>, image: Image, kernelShape: readonly number[]): ImageWindow {
  const input = () => image.size.slice(-kernelShape.length);
  const { kernel, strides, dilations, pads } = windowOf(node, { kernel: kernelShape, input });
  return {
    kernel: pairOf(kernel, 1),
    strides: pairOf(strides, 1),
    dilations: pairOf(dilations, 1),
    begin: pairOf(pads.slice(0, kernel.length), 0),
    end: pairOf(pads.slice(kernel.length), 0),
  };
}

/** Number of places of a window along one axis. */
export const places = (window: ImageWindow, image: Image, axis: 0 | 1, ceil = false): number => {
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
export function transposedSize(c: Pick<Call, 'node'>, image: Image, window: ImageWindow): Pair {
  if (textOf(c.node, 'auto_pad', 'NOTSET').startsWith('SAME') || c.node.attributes.has('output_shape'))
    refuse(c, 'automatic padding or output_shape');
  const more = pairOf(intsOf(c.node, 'output_padding', [0, 0]), 0);
  const along = (i: 0 | 1): number => {
    const reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    return window.strides[i] * (image.size[i] - 1) + more[i] + reach - window.begin[i] - window.end[i];
  };
  return [along(0), along(1)];
}
