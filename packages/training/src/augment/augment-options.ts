import type { Options } from '@espalier/core';

/** Options for varying training images. Default: everything is off. */
export interface AugmentOptions {
  /** Mirrors left and right, every second image on average. */
  readonly flip?: boolean;
  /** Shifts by up to this many pixels in each direction: padding by it, then cropping to the old size. */
  readonly crop?: number;
  /** Side of a square in pixels that is blanked out around a random pixel; what sticks out is cut off. */
  readonly cutout?: number;
  /** The value that padding and cutout write. Default: 0, the mean of normalised images. */
  readonly fill?: number;
  /** Where the channels stand; deduced from the sizes when left out. */
  readonly layout?: 'nchw' | 'nhwc';
}

/** The same as a table, for plugins. */
export const augmentOptions = {
  flip: { type: 'boolean', default: false, about: 'mirror every second image left to right' },
  crop: { type: 'integer', default: 0, min: 0, max: 4096, about: 'shift by up to this many pixels, filling the edge' },
  cutout: { type: 'integer', default: 0, min: 0, max: 4096, about: 'side of a square that is blanked out, in pixels' },
  fill: { type: 'number', default: 0, about: 'what the filled edge and the blanked square hold' },
} as const satisfies Options;
