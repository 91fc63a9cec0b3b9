import { createRandom, type Tensor, tensor } from '@espalier/core';
import { badRequest } from '../errors.js';
import type { AugmentOptions } from './augment-options.js';
import { cutOut } from './cut-out.js';
import { imagePlanes } from './image-planes.js';
import { shiftAndFlip } from './shift-and-flip.js';

/** Which samples a batch holds, and when they are seen: what every random choice is made from. */
export interface Draw {
  readonly seed: number;
  readonly epoch: number;
  /** Index in the data set of each image of the batch. */
  readonly samples: ArrayLike<number>;
}

/** Whether the options ask for anything. */
export const augments = ({ flip = false, crop = 0, cutout = 0 }: AugmentOptions): boolean =>
  flip || crop > 0 || cutout > 0;

/**
 * A batch of float32 or uint8 images varied at random: shifted, mirrored, blanked in part. What happens to an image
 * depends on the seed, the epoch and its index in the data set alone, not on the batch it is in or on what ran before.
 * @throws TRAINING_REQUEST for what is no batch of images.
 */
export function augmentImages(images: Tensor, options: AugmentOptions, draw: Draw): Tensor {
  if (!augments(options)) return images;
  const { flip = false, crop = 0, cutout = 0, fill = 0 } = options;
  const layout = imagePlanes(images, options.layout);
  if (images.dtype !== 'float32' && images.dtype !== 'uint8') {
    throw badRequest('augmentation', { expected: 'float32 or uint8 images', found: images.dtype });
  }
  const into = images.dtype === 'float32' ? new Float32Array(images.data.length) : new Uint8Array(images.data.length);
  const ofEpoch = createRandom(draw.seed).fork(`augment ${draw.epoch}`);
  for (let at = 0; at < layout.samples; at++) {
    const random = ofEpoch.fork(String(draw.samples[at]));
    // All are drawn whatever is on, so that turning one variation on leaves the others as they were.
    const mirrored = random.next() < 0.5;
    const move = {
      flip: flip && mirrored,
      down: random.below(2 * crop + 1) - crop,
      right: random.below(2 * crop + 1) - crop,
    };
    shiftAndFlip(images.data, into, { layout, at, move, fill });
    const [y, x] = [random.below(layout.height), random.below(layout.width)];
    if (cutout > 0) cutOut(into, { layout, at, y, x, side: cutout, fill });
  }
  return images.dtype === 'float32'
    ? tensor('float32', images.shape, into as Float32Array) // made of the same type above
    : tensor('uint8', images.shape, into as Uint8Array);
}
