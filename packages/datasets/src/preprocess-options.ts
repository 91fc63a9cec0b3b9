import type { DType } from '@espalier/core';

/** Where the channels stand: before rows and columns, or after them. */
export type Layout = 'nchw' | 'nhwc';

/** Height and width in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Steps that convert stored images to a model's input. They run in the order of this list. */
export interface PreprocessOptions {
  /** The field to change. Default: `image`. Other fields pass unchanged. */
  readonly field?: string;
  /** The name of the field afterwards. */
  readonly as?: string;
  /** The layout of the stored samples. Default: `nhwc`. */
  readonly from?: Layout;
  /** Colour to grey by ITU-R 601 luma (as Pillow), or grey repeated three times. */
  readonly channels?: number;
  /** Bilinear, antialiased when shrinking. A number sets the shorter side and keeps the proportions. */
  readonly resize?: number | ImageSize;
  /** The middle of this size, after resizing. */
  readonly crop?: number | ImageSize;
  /** Factor of every value; 1/255 for bytes that become floats, else 1. */
  readonly scale?: number;
  /** Subtracted after scaling: one number for each channel, or one for all. */
  readonly mean?: readonly number[];
  /** Divides after that: one number for each channel, or one for all. */
  readonly std?: readonly number[];
  /** The layout of the result. Default: `nchw`. */
  readonly layout?: Layout;
  /** The dtype of the result. Default: float32. */
  readonly dtype?: DType;
  /** The shape of one sample of the result where it is neither [C,H,W] nor [H,W,C]: the same elements, flat or without channels. */
  readonly shape?: readonly number[];
}
