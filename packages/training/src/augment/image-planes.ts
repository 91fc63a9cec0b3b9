import type { Tensor } from '@espalier/core';
import { badRequest } from '../errors.js';
import type { AugmentOptions } from './augment-options.js';

/** Images of either layout seen as planes of `height` rows of `width` pixels of `depth` elements each. */
export interface ImagePlanes {
  readonly samples: number;
  /** Planes of a sample: the channels where they come first, 1 where they come last. */
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  /** Elements of a pixel: 1 where the channels come first. */
  readonly depth: number;
}

const few = 4; // channels of stored images, alpha included

/** The layout of a batch `[N, C, H, W]` or `[N, H, W, C]`. @throws TRAINING_REQUEST if it is no batch of images. */
export function imagePlanes({ shape, dtype }: Tensor, layout?: AugmentOptions['layout']): ImagePlanes {
  if (shape.length !== 4) {
    throw badRequest('augmentation', {
      expected: 'images [N, C, H, W] or [N, H, W, C]',
      found: `${dtype}[${shape.join(',')}]`,
      fix: 'Leave augmentation out for other data.',
    });
  }
  const [samples, a, b, c] = shape as readonly [number, number, number, number]; // four, as checked
  const last = layout === undefined ? a > few && c <= few : layout === 'nhwc';
  return last
    ? { samples, planes: 1, height: a, width: b, depth: c }
    : { samples, planes: a, height: b, width: c, depth: 1 };
}
