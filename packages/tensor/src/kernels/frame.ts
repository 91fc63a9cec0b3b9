import type { Call } from '../kernel.js';
import { blockOf, type Value } from '../value.js';
import { type Image, type ImageWindow, imageOf, type Pair } from './window.js';

/** An image with its borders in memory; `release` lets it go. */
export interface Framed {
  readonly pointer: number;
  readonly size: Pair;
  release(): void;
}

/** The channels-last image of a value with borders of zeros around it, spread where strides have to be filled. */
export function framed(
  c: Call,
  value: Value,
  { begin, size, spread = [1, 1] }: { readonly begin: Pair; readonly size: Pair; readonly spread?: Pair },
): Framed {
  const image = imageOf(c, value.shape);
  const { pointer } = blockOf(c.heap, value, 'last');
  const same = ([0, 1] as const).every((i) => begin[i] === 0 && size[i] === image.size[i] && spread[i] === 1);
  if (same) return { pointer, size, release: () => {} };
  const block = c.heap.allocate(image.batch * size[0] * size[1] * image.channels);
  c.heap.kernels.frame(
    pointer,
    block.pointer,
    image.batch,
    image.size[0],
    image.size[1],
    image.channels,
    size[0],
    size[1],
    begin[0],
    begin[1],
    spread[0],
    spread[1],
  );
  return { pointer: block.pointer, size, release: () => c.heap.release(block) };
}

/** The frame that a window needs around an image. */
export const frameOf = (window: ImageWindow, image: Image): { readonly begin: Pair; readonly size: Pair } => ({
  begin: window.begin,
  size: [image.size[0] + window.begin[0] + window.end[0], image.size[1] + window.begin[1] + window.end[1]],
});
