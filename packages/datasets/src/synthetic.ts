import { createRandom, type Dataset, definePlugin, type Random, type Tensor, tensor } from '@espalier/core';
import { draw, drawOptions } from './draw-options.js';
import { checkIndices, type LabelledDataset } from './tensor-set.js';

/** Images that are drawn when they are read: ten shapes and textures in random colours, places, sizes and noise. */
export const synthetic = definePlugin({
  kind: 'dataset',
  id: 'synthetic',
  about: 'Ten shapes and textures in random colours, drawn when they are read; nothing is stored or downloaded.',
  options: {
    split: {
      type: 'choice',
      of: ['train', 'test'],
      default: 'test',
      about: 'train and test are drawn from different streams of random numbers',
    },
    count: {
      type: 'integer',
      default: 0,
      min: 0,
      max: 2 ** 24,
      about: 'how many samples the set holds; 0 for 8,000 to train and 2,000 to test',
    },
    side: { type: 'integer', default: 16, min: 12, max: 256, about: 'height and width in pixels' },
    noise: {
      type: 'number',
      default: 0.12,
      min: 0,
      max: 1,
      about: 'standard deviation of the noise on every value, as a share of the full range',
    },
    ...drawOptions,
  },
  create: (options) => async (context) => {
    const size = options.count || (options.split === 'train' ? 8000 : 2000);
    return draw(syntheticSet({ ...options, size }), options, context);
  },
});

/** A point seen from the middle of the shape, in units of its radius, turned with it. */
type Shape = (x: number, y: number) => number;

// Signed distances to the edge in units of the radius: negative inside. Their order is the order of the labels.
const disc: Shape = (x, y) => Math.hypot(x, y) - 1;
const box: Shape = (x, y) => Math.max(Math.abs(x), Math.abs(y)) - 0.86;
const plus: Shape = (x, y) =>
  Math.max(Math.min(Math.abs(x), Math.abs(y)) - 0.3, Math.max(Math.abs(x), Math.abs(y)) - 1);
const wave = (at: number): number => Math.abs(((((at / 0.8) % 1) + 1) % 1) - 0.5) - 0.25;
const shapes: Readonly<Record<string, Shape>> = {
  disc,
  ring: (x, y) => Math.abs(disc(x, y) + 0.22) - 0.22,
  square: box,
  frame: (x, y) => Math.abs(box(x, y) + 0.2) - 0.2,
  triangle: (x, y) => Math.max(-y - 0.6, Math.abs(x) * 0.87 + y * 0.5 - 0.5),
  plus,
  cross: (x, y) => plus((x + y) * Math.SQRT1_2, (x - y) * Math.SQRT1_2),
  rows: (x, y) => Math.max(disc(x, y), wave(y)),
  columns: (x, y) => Math.max(disc(x, y), wave(x)),
  checks: (x, y) =>
    Math.max(disc(x, y), Math.sign(wave(x)) * Math.sign(wave(y)) * Math.min(Math.abs(wave(x)), Math.abs(wave(y)))),
};
const names = Object.keys(shapes);
const drawings = Object.values(shapes);

function syntheticSet(parts: {
  readonly split: 'train' | 'test';
  readonly size: number;
  readonly side: number;
  readonly noise: number;
}): Dataset {
  const { split, size, side, noise } = parts;
  const stream = createRandom(20170925).fork(split);
  const values = side * side * 3;
  const labels = Int32Array.from({ length: size }, (_, i) => i % names.length);
  const dataset: LabelledDataset = {
    name: 'synthetic',
    size,
    fields: new Map([
      ['image', { dtype: 'uint8', shape: [side, side, 3] }],
      ['label', { dtype: 'int32', shape: [] }],
    ]),
    classes: names,
    labels,
    async read(indices) {
      checkIndices('synthetic', indices, size);
      const data = new Uint8Array(indices.length * values);
      for (const [k, index] of indices.entries()) {
        const pixels = data.subarray(k * values, (k + 1) * values);
        paint(pixels, { shape: drawings[labels[index]!]!, random: stream.fork(String(index)), side, noise });
      }
      return new Map<string, Tensor>([
        ['image', tensor('uint8', [indices.length, side, side, 3], data)],
        [
          'label',
          tensor(
            'int32',
            [indices.length],
            Int32Array.from(indices, (i) => labels[i]!),
          ),
        ],
      ]);
    },
  };
  return dataset;
}

/** Everything about one image that is drawn by lot. */
function scene(random: Random, side: number) {
  const between = (low: number, high: number) => low + (high - low) * random.next();
  const angle = between(-0.25, 0.25);
  const radius = between(0.25, 0.42) * side;
  const slack = side / 2 - radius;
  const paper = [random.next(), random.next(), random.next()];
  // Every channel of the ink differs from the paper, some up and some down, by 0.2 to 0.7 in all.
  const ink = paper.map((value) => value + (value > 0.5 ? -1 : 1) * between(0.15, 0.6));
  return {
    cos: Math.cos(angle) / radius,
    sin: Math.sin(angle) / radius,
    radius,
    x: side / 2 + between(-slack, slack),
    y: side / 2 + between(-slack, slack),
    paper,
    ink,
    // A slow change of light across the image.
    lightX: between(-0.25, 0.25) / side,
    lightY: between(-0.25, 0.25) / side,
  };
}

function paint(
  pixels: Uint8Array,
  {
    shape,
    random,
    side,
    noise,
  }: { readonly shape: Shape; readonly random: Random; readonly side: number; readonly noise: number },
): void {
  const { cos, sin, radius, x, y, paper, ink, lightX, lightY } = scene(random, side);
  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [dx, dy] = [column + 0.5 - x, row + 0.5 - y];
      const distance = shape(cos * dx + sin * dy, cos * dy - sin * dx) * radius;
      const cover = Math.min(1, Math.max(0, 0.5 - distance)); // one pixel of smooth edge
      const light = lightX * (column - side / 2) + lightY * (row - side / 2);
      for (let c = 0; c < 3; c++) {
        const value = paper[c]! + cover * (ink[c]! - paper[c]!) + light + noise * random.normal();
        pixels[at++] = Math.min(255, Math.max(0, Math.round(255 * value)));
      }
    }
  }
}
