import type { Tensor as Device, Tensor4D } from '@tensorflow/tfjs-core';
import { type Image, type ImageWindow, imageOf, type Pair, places } from '../../kernels/window.js';
import type { Tf } from '../gpu.js';
import { at, type GpuCall, made, need } from '../gpu-kernel.js';
import type { GpuValue } from '../gpu-value.js';

/** An input as images [N, H, W, C]. */
export function imagesAt(c: GpuCall, slot: number): Tensor4D {
  const { batch, channels, size } = imageOf(c, need(c, slot).shape);
  return c.tf.reshape(at(c, slot, 'last'), [batch, ...size, channels]) as Tensor4D; // four axes, as said
}

/** Images [N, H, W, K] as an output of the rank of input 0. */
export function fromImages(c: GpuCall, images: Device): GpuValue {
  const [batch, height, width, channels] = images.shape as [number, number, number, number]; // images
  const flat = need(c, 0).shape.length === 3;
  const device = flat ? c.tf.reshape(images, [batch, width, channels]) : images;
  const shape = flat ? [batch, channels, width] : [batch, channels, height, width];
  return made(c, device, { shape, layout: 'last' });
}

/** A window over images, and the places it takes. */
export interface Sliding {
  readonly image: Image;
  readonly window: ImageWindow;
  readonly size: Pair;
}

/** The places of a window; in ceil mode a last one may reach over the end. */
export const slidingOf = (window: ImageWindow, image: Image, ceil = false): Sliding => ({
  image,
  window,
  size: [places(window, image, 0, ceil), places(window, image, 1, ceil)],
});

/** Images within borders of one number, so that every element under the window is there. */
export function framed(tf: Tf, images: Device, { image, window, size }: Sliding, border = 0): Device {
  const end = ([0, 1] as const).map((i) => {
    const reach = (size[i] - 1) * window.strides[i] + (window.kernel[i] - 1) * window.dilations[i] + 1;
    return Math.max(0, reach - image.size[i] - window.begin[i]);
  }) as unknown as Pair; // two, as the axes are
  if ([...window.begin, ...end].every((pad) => pad === 0)) return images;
  const pads: [number, number][] = [
    [0, 0],
    [window.begin[0], end[0]],
    [window.begin[1], end[1]],
    [0, 0],
  ];
  return tf.pad(images, pads, border);
}

/** The input at one tap of a window, at all of its places: [N, places, C]. */
export function tapOf(tf: Tf, frame: Device, { window, size }: Sliding, [row, column]: Pair): Device {
  const begin = [0, row * window.dilations[0], column * window.dilations[1], 0];
  const count = [frame.shape[0]!, ...size, frame.shape[3]!];
  const steps = [1, ...window.strides, 1];
  if (steps.every((step) => step === 1)) {
    const whole = begin.every((from) => from === 0) && count.every((dim, i) => dim === frame.shape[i]);
    return whole ? frame : tf.slice(frame, begin, count);
  }
  const end = begin.map((from, i) => from + (count[i]! - 1) * steps[i]! + 1);
  return tf.stridedSlice(frame, begin, end, steps);
}

/** The taps of a window, row by row. */
export const tapsOf = ({ kernel: [rows, columns] }: ImageWindow): readonly Pair[] =>
  Array.from({ length: rows * columns }, (_, i) => [Math.floor(i / columns), i % columns] as const);

/** Zeros between the elements of an axis: a b becomes a 0 b for step 2. */
export function spread(tf: Tf, device: Device, axis: number, step: number): Device {
  const length = device.shape[axis]!;
  if (step === 1 || length === 1) return device;
  const apart = tf.reshape(device, device.shape.toSpliced(axis + 1, 0, 1));
  const zeros = tf.zeros(apart.shape.with(axis + 1, step - 1));
  const whole = tf.reshape(tf.concat([apart, zeros], axis + 1), device.shape.with(axis, length * step));
  return tf.slice(
    whole,
    whole.shape.map(() => 0),
    device.shape.with(axis, (length - 1) * step + 1),
  );
}
