import { intOf, intsOf } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { imageOf, imageWindow, type Pair } from '../../kernels/window.js';
import { refuse } from '../../operands.js';
import type { Tf } from '../gpu.js';
import { type GpuCall, type GpuKernel, type GpuOp, isReal, need } from '../gpu-kernel.js';
import { framed, fromImages, imagesAt, type Sliding, slidingOf, spread, tapOf, tapsOf } from './frame.js';
import { maxOver, meanOver, reduced } from './reduce.js';

function poolingOf(c: GpuCall): Sliding {
  const image = imageOf(c, need(c, 0).shape);
  const window = imageWindow(c, image, intsOf(c.node, 'kernel_shape', undefined) ?? refuse(c, 'no kernel_shape'));
  return slidingOf(window, image, intOf(c.node, 'ceil_mode', 0) === 1);
}

/** A part of the window that goes over one axis alone; extremes and sums are those of the parts. */
const along = ({ image, window, size }: Sliding, axis: 0 | 1): Sliding => {
  const only = (pair: Pair, rest: number): Pair => (axis === 0 ? [pair[0], rest] : [rest, pair[1]]);
  const { kernel, strides, dilations, begin, end } = window;
  return {
    image,
    window: {
      kernel: only(kernel, 1),
      strides: only(strides, 1),
      dilations: only(dilations, 1),
      begin: only(begin, 0),
      end: only(end, 0),
    },
    size: axis === 0 ? [size[0], image.size[1]] : size,
  };
};

/** All taps of a window put together, first along columns, then along rows. */
function pooled(
  tf: Tf,
  images: Device,
  pooling: Sliding,
  { border, join }: { readonly border: number; readonly join: (a: Device, b: Device) => Device },
): Device {
  const over = (source: Device, slide: Sliding) => {
    const frame = framed(tf, source, slide, border);
    return tapsOf(slide.window)
      .map((tap) => tapOf(tf, frame, slide, tap))
      .reduce(join);
  };
  const rows = over(images, along(pooling, 0));
  const next = along(pooling, 1);
  return over(rows, { ...next, image: { ...pooling.image, size: [pooling.size[0], pooling.image.size[1]] } });
}

const maxPool: GpuKernel = (c) => {
  if (!isReal(need(c, 0))) return refuse(c, need(c, 0).dtype);
  if (c.node.outputs[1] !== undefined) return refuse(c, 'indices as a second output');
  const join = (a: Device, b: Device) => c.tf.maximum(a, b);
  return [fromImages(c, pooled(c.tf, imagesAt(c, 0), poolingOf(c), { border: Number.NEGATIVE_INFINITY, join }))];
};

/** The number of elements of the window at each place along one axis; borders count if `counted` says so. */
function counts({ image, window, size }: Sliding, axis: 0 | 1, counted: boolean): readonly number[] {
  const [begin, end] = [window.begin[axis], window.end[axis]];
  const [low, high] = counted ? [-begin, image.size[axis] + end] : [0, image.size[axis]];
  return Array.from({ length: size[axis] }, (_, place) => {
    const first = place * window.strides[axis] - begin;
    const seen = Array.from({ length: window.kernel[axis] }, (_each, tap) => first + tap * window.dilations[axis]);
    return Math.max(1, seen.filter((at) => at >= low && at < high).length);
  });
}

const averagePool: GpuKernel = (c) => {
  const { tf } = c;
  const pooling = poolingOf(c);
  const sums = pooled(tf, imagesAt(c, 0), pooling, { border: 0, join: (a, b) => tf.add(a, b) });
  const counted = intOf(c.node, 'count_include_pad', 0) === 1;
  const [rows, columns] = [counts(pooling, 0, counted), counts(pooling, 1, counted)];
  const areas = tf.tensor4d(
    rows.flatMap((row) => columns.map((column) => row * column)),
    [1, rows.length, columns.length, 1],
    'float32',
  );
  return [fromImages(c, tf.div(sums, areas))];
};

/** `espalier::MaxPoolGradient(x, y, dy)`: each tap takes the gradient where it equals y and none before it did. */
const maxPoolGradient: GpuKernel = (c) => {
  const { tf } = c;
  const pooling = poolingOf(c);
  const { image, window } = pooling;
  const frame = framed(tf, imagesAt(c, 0), pooling, Number.NEGATIVE_INFINITY);
  const [y, dy] = [imagesAt(c, 1), imagesAt(c, 2)];
  const none = tf.zerosLike(dy);
  let taken: Device | undefined;
  let sum: Device | undefined;
  for (const tap of tapsOf(window)) {
    const equal = tf.equal(tapOf(tf, frame, pooling, tap), y);
    const hit: Device = taken ? tf.logicalAnd(equal, tf.logicalNot(taken)) : equal;
    taken = taken ? tf.logicalOr(taken, hit) : hit;
    const part = placed(tf, tf.where(hit, dy, none), { frame, pooling, tap });
    sum = sum ? tf.add(sum, part) : part;
  }
  const size = [image.batch, ...image.size, image.channels];
  return [fromImages(c, tf.slice(sum!, [0, ...window.begin, 0], size))]; // a window has a tap
};

/** The gradient of each place for one tap, at the position that the tap read. */
function placed(
  tf: Tf,
  gradient: Device,
  { frame, pooling, tap }: { readonly frame: Device; readonly pooling: Sliding; readonly tap: Pair },
): Device {
  const { strides, dilations } = pooling.window;
  const wide = spread(tf, spread(tf, gradient, 1, strides[0]), 2, strides[1]);
  const pads = wide.shape.map((length, i): [number, number] => {
    if (i === 0 || i === 3) return [0, 0];
    const axis = (i - 1) as 0 | 1; // rows and columns
    const before = tap[axis] * dilations[axis];
    return [before, frame.shape[i]! - length - before];
  });
  return pads.flat().every((pad) => pad === 0) ? wide : tf.pad(wide, pads);
}

const globalPool =
  (compute: typeof maxOver): GpuKernel =>
  (c) => {
    const x = need(c, 0);
    const axes = Array.from({ length: x.shape.length - 2 }, (_, i) => i + 2);
    return [reduced(c, x, { axes, keep: true, compute })];
  };

/** Pooling over images. */
export const poolOps = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool(meanOver),
  GlobalMaxPool: globalPool(maxOver),
  'espalier::MaxPoolGradient': maxPoolGradient,
} as const satisfies Record<string, GpuOp>;
