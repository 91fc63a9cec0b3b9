import type { ImagePlanes } from './image-planes.js';
import type { Pixels } from './shift-and-flip.js';

/**
 * Blanks a square of `side` pixels around (y, x) in sample `at`, in place; what lies outside the image is cut off
 * (DeVries & Taylor 2017, arXiv 1708.04552). Rows y - ⌊side/2⌋ up to, not including, y - ⌊side/2⌋ + side.
 */
export function cutOut(
  images: Pixels,
  of: {
    readonly layout: ImagePlanes;
    readonly at: number;
    readonly y: number;
    readonly x: number;
    readonly side: number;
    readonly fill: number;
  },
): void {
  const { planes, height, width, depth } = of.layout;
  const [top, left] = [of.y - (of.side >> 1), of.x - (of.side >> 1)];
  const [first, last] = [Math.max(0, top), Math.min(height, top + of.side)];
  const [begin, end] = [Math.max(0, left), Math.min(width, left + of.side)];
  for (let plane = 0; plane < planes; plane++) {
    const base = (of.at * planes + plane) * height;
    for (let y = first; y < last; y++) {
      const row = (base + y) * width;
      images.fill(of.fill, (row + begin) * depth, (row + end) * depth);
    }
  }
}
