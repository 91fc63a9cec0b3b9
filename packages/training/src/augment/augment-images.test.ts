import { floats, tensor, toNumbers } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { augmentImages } from './augment-images.js';
import { cutOut } from './cut-out.js';
import { imagePlanes } from './image-planes.js';
import { normaliseImages } from './normalise-images.js';
import { shiftAndFlip } from './shift-and-flip.js';

const moved = (
  values: readonly number[],
  shape: readonly number[],
  move: { readonly down?: number; readonly right?: number; readonly flip?: boolean },
) => {
  const image = floats(values, shape);
  const into = new Float32Array(values.length);
  const layout = imagePlanes(image);
  shiftAndFlip(image.data, into, { layout, at: 0, move: { down: 0, right: 0, flip: false, ...move }, fill: -1 });
  return [...into];
};

describe('shifting and mirroring', () => {
  it('gives the examples of its description', () => {
    expect(moved([1, 2, 3], [1, 1, 1, 3], { right: 1 })).toEqual([2, 3, -1]);
    expect(moved([1, 2, 3], [1, 1, 1, 3], { right: 1, flip: true })).toEqual([-1, 3, 2]);
    expect(moved([1, 2, 3, 4], [1, 1, 2, 2], { down: -1 })).toEqual([-1, -1, 1, 2]);
  });

  it('moves all channels of a pixel together, in either layout', () => {
    // Two channels, 1x2 pixels; the first layout has more than four planes elsewhere, so it is said by the sizes.
    expect(moved([1, 2, 10, 20], [1, 2, 1, 2], { flip: true })).toEqual([2, 1, 20, 10]);
    const last = floats([1, 10, 2, 20], [1, 1, 2, 2]);
    const into = new Float32Array(4);
    const layout = imagePlanes(last, 'nhwc');
    shiftAndFlip(last.data, into, { layout, at: 0, move: { down: 0, right: 0, flip: true }, fill: 0 });
    expect([...into]).toEqual([2, 20, 1, 10]);
  });
});

describe('cutout', () => {
  it('blanks a square and cuts off what sticks out', () => {
    const image = floats(new Float32Array(16).fill(1), [1, 1, 4, 4]);
    cutOut(image.data, { layout: imagePlanes(image), at: 0, y: 0, x: 3, side: 3, fill: 0 });
    expect(toNumbers(image)).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  });
});

describe('augmentation', () => {
  const images = floats(
    Float32Array.from({ length: 4 * 3 * 8 * 8 }, (_, i) => i),
    [4, 3, 8, 8],
  );
  const all = { flip: true, crop: 2, cutout: 3 };
  const row = 3 * 64;

  it('does the same to an image whatever batch it is in', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(50), fc.nat(3), (seed, epoch, at) => {
        const batch = augmentImages(images, all, { seed, epoch, samples: [7, 8, 9, 10] });
        const alone = floats(images.data.slice(at * row, (at + 1) * row), [1, 3, 8, 8]);
        const single = augmentImages(alone, all, { seed, epoch, samples: [7 + at] });
        expect(single.data).toEqual(batch.data.slice(at * row, (at + 1) * row));
      }),
      { numRuns: 30 },
    );
  });

  it('differs from epoch to epoch and from seed to seed, and leaves what it was given alone', () => {
    const before = images.data.slice();
    const draw = { seed: 1, epoch: 0, samples: [0, 1, 2, 3] };
    const first = augmentImages(images, all, draw);
    expect(augmentImages(images, all, { ...draw, epoch: 1 }).data).not.toEqual(first.data);
    expect(augmentImages(images, all, { ...draw, seed: 2 }).data).not.toEqual(first.data);
    expect(images.data).toEqual(before);
  });

  it('turning on one variation leaves the draws of the others as they were', () => {
    const draw = { seed: 4, epoch: 2, samples: [0, 1, 2, 3] };
    const flipped = augmentImages(images, { flip: true }, draw);
    const both = augmentImages(images, { flip: true, cutout: 2, fill: -9 }, draw);
    const kept = [...(both.data as Float32Array)].map((value, i) => (value === -9 ? flipped.data[i] : value));
    expect(kept).toEqual([...flipped.data]);
  });

  it('mirrors about half of the images and only mirrors them when nothing else is asked', () => {
    const many = floats(
      Float32Array.from({ length: 400 * 2 }, (_, i) => i % 2),
      [400, 1, 1, 2],
    );
    const { data } = augmentImages(
      many,
      { flip: true },
      { seed: 0, epoch: 0, samples: Array.from({ length: 400 }, (_, i) => i) },
    );
    const mirrored = [...(data as Float32Array)].filter((value, i) => i % 2 === 0 && value === 1).length;
    expect(mirrored).toBeGreaterThan(160);
    expect(mirrored).toBeLessThan(240);
  });

  it('works on bytes, gives back the very images when nothing is asked, and refuses what is no batch of images', () => {
    const bytes = tensor('uint8', [1, 1, 2, 2], Uint8Array.of(1, 2, 3, 4));
    const draw = { seed: 0, epoch: 0, samples: [0] };
    expect(augmentImages(bytes, { crop: 1 }, draw).dtype).toBe('uint8');
    expect(augmentImages(bytes, {}, draw)).toBe(bytes);
    expect(() => augmentImages(floats([1, 2]), { flip: true }, draw)).toThrow(/expected images \[N, C, H, W\]/);
  });
});

describe('normalising', () => {
  it('scales bytes to 1 and takes mean and deviation per channel, in both layouts', () => {
    const bytes = tensor('uint8', [1, 2, 1, 2], Uint8Array.of(255, 0, 255, 255));
    const options = { mean: [0.5, 0], std: [0.5, 2] };
    expect(toNumbers(normaliseImages(bytes, options))).toEqual([1, -1, 0.5, 0.5]);
    const last = tensor('uint8', [1, 1, 2, 2], Uint8Array.of(255, 255, 0, 255));
    expect(toNumbers(normaliseImages(last, { ...options, layout: 'nhwc' }))).toEqual([1, 0.5, -1, 0.5]);
    expect(() => normaliseImages(bytes, { mean: [1, 2, 3] })).toThrow(/expected 1 or 2 numbers/);
    expect(() => normaliseImages(bytes, { std: [0] })).toThrow(/above 0/);
  });
});
