import { intOf, intsOf, sizeOf } from '@espalier/core';
import type { Call, Kernel } from '../kernel.js';
import { at, isReal, need, refuse } from '../operands.js';
import { blockOf, deviceValue } from '../value.js';
import { reduced } from './reduce.js';
import { type Image, type ImageWindow, imageOf, imageWindow, type Pair, places, spatialShape } from './window.js';

interface Pooling {
  readonly image: Image;
  readonly window: ImageWindow;
  readonly size: Pair;
}

function poolingOf(c: Call): Pooling {
  const image = imageOf(c, need(c, 0).shape);
  const window = imageWindow(c, image, intsOf(c.node, 'kernel_shape', undefined) ?? refuse(c, 'no kernel_shape'));
  const ceil = intOf(c.node, 'ceil_mode', 0) === 1;
  return { image, window, size: [places(window, image, 0, ceil), places(window, image, 1, ceil)] };
}

/** n, h, w, c, ho, wo, kh, kw, sh, sw, dh, dw, top, left. */
const numbers = ({ image, window, size }: Pooling) =>
  [
    image.batch,
    ...image.size,
    image.channels,
    ...size,
    ...window.kernel,
    ...window.strides,
    ...window.dilations,
    ...window.begin,
  ] as const;

const outputShape = (c: Call, { image, size }: Pooling) => [
  image.batch,
  image.channels,
  ...spatialShape(need(c, 0).shape.length, size),
];

const maxPool: Kernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return refuse(c, x.dtype);
  if (c.node.outputs[1] !== undefined) return refuse(c, 'indices as a second output');
  const pooling = poolingOf(c);
  const shape = outputShape(c, pooling);
  const out = c.heap.allocate(sizeOf(shape));
  c.heap.kernels.maxPool(at(c, 0, 'last'), out.pointer, ...numbers(pooling));
  return [deviceValue(x.dtype, shape, out, 'last')];
};

/** `espalier::MaxPoolGradient(x, y, dy) -> dx`. */
const maxPoolGradient: Kernel = (c) => {
  const x = need(c, 0);
  const pooling = poolingOf(c);
  const out = c.heap.allocate(sizeOf(x.shape));
  c.heap.kernels.maxPoolGradient(
    at(c, 0, 'last'),
    at(c, 1, 'last'),
    at(c, 2, 'last'),
    out.pointer,
    ...numbers(pooling),
  );
  return [deviceValue(x.dtype, x.shape, out, 'last')];
};

const averagePool: Kernel = (c) => {
  const x = need(c, 0);
  const pooling = poolingOf(c);
  const shape = outputShape(c, pooling);
  const out = c.heap.allocate(sizeOf(shape));
  const counted = intOf(c.node, 'count_include_pad', 0);
  c.heap.kernels.averagePool(at(c, 0, 'last'), out.pointer, ...numbers(pooling), ...pooling.window.end, counted);
  return [deviceValue(x.dtype, shape, out, 'last')];
};

const globalPool =
  (code: 'sum' | 'max'): Kernel =>
  (c) => {
    const x = need(c, 0);
    const axes = Array.from({ length: x.shape.length - 2 }, (_, i) => i + 2);
    const value = reduced(c, x, { code, axes, keep: true, mean: code === 'sum' });
    // One element per channel: both layouts are the same bytes.
    const block = blockOf(c.heap, value, 'plain');
    if (value.last && value.last !== block) c.heap.release(value.last);
    else if (value.last) block.holders--;
    return [deviceValue(x.dtype, value.shape, block)];
  };

/** Pooling over images. */
export const poolKernels = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool('sum'),
  GlobalMaxPool: globalPool('max'),
  'espalier::MaxPoolGradient': maxPoolGradient,
} as const satisfies Record<string, Kernel>;
