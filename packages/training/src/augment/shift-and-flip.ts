import type { ImagePlanes } from './image-planes.js';

/** The element arrays that images come in. */
export type Pixels = Float32Array | Uint8Array;

/** The change of one image: output pixel (y, x) is input pixel (y + down, x' + right), x' mirrored when flipped. */
export interface Move {
  readonly down: number;
  readonly right: number;
  readonly flip: boolean;
}

/**
 * Writes sample `at` of `from` into `into`, shifted and mirrored; pixels from outside the image are `fill`.
 * A row [1, 2, 3] with right = 1 becomes [2, 3, fill]; flipped as well, [fill, 3, 2].
 */
export function shiftAndFlip(
  from: Pixels,
  into: Pixels,
  of: { readonly layout: ImagePlanes; readonly at: number; readonly move: Move; readonly fill: number },
): void {
  const { planes, height, width, depth } = of.layout;
  const { down, right, flip } = of.move;
  const row = width * depth;
  for (let plane = 0; plane < planes; plane++) {
    const base = (of.at * planes + plane) * height * row;
    for (let y = 0; y < height; y++) {
      const source = y + down;
      const to = base + y * row;
      if (source < 0 || source >= height) {
        into.fill(of.fill, to, to + row);
        continue;
      }
      const start = base + source * row;
      for (let x = 0; x < width; x++) {
        const seen = (flip ? width - 1 - x : x) + right;
        const inside = seen >= 0 && seen < width;
        for (let d = 0; d < depth; d++) into[to + x * depth + d] = inside ? from[start + seen * depth + d]! : of.fill;
      }
    }
  }
}
