import { floatOf, intOf, intsOf, longs, sizeOf, textOf } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { extrapolationOf, resizedAxes, type Samples } from '../../kernels/samples.js';
import { axisOf, refuse } from '../../operands.js';
import { rowMajor } from '../../strided.js';
import {
  at,
  type GpuCall,
  type GpuKernel,
  type GpuOp,
  isReal,
  listed,
  made,
  need,
  numbersAt,
  reading,
} from '../gpu-kernel.js';
import { axisIn, fitsGpu, gpuLayout, onGpu } from '../gpu-value.js';
import { picked, placesWithin } from './movement.js';

/** The elements and, behind them, one more along an axis: the value outside of the input. */
function extended(c: GpuCall, x: Device, axis: number): Device {
  return c.tf.concat([x, c.tf.fill(x.shape.with(axis, 1), extrapolationOf(c))], axis);
}

/** Samples that read the element behind the axis wherever they lie outside of it. */
function beyond({ taps, index, weights, outside }: Samples, size: number): Samples {
  const [places, shares] = [index.slice(), weights.slice()];
  for (const i of outside) {
    places.fill(size, i * taps, (i + 1) * taps);
    shares.fill(1 / taps, i * taps, (i + 1) * taps);
  }
  return { taps, index: places, weights: shares, outside: [] };
}

/** One axis resized: sums of elements at places, each with its weight. */
function resampled(c: GpuCall, x: Device, axis: number, samples: Samples): Device {
  if (samples.outside.length > 0) return resampled(c, extended(c, x, axis), axis, beyond(samples, x.shape[axis]!));
  const { taps, index, weights } = samples;
  const count = index.length / taps;
  const shape = x.shape.map((_, i) => (i === axis ? count : 1));
  const parts = Array.from({ length: taps }, (_, tap) => {
    const own = (list: ArrayLike<number>) => Array.from({ length: count }, (_each, i) => list[i * taps + tap]!);
    const elements = picked(c, x, axis, own(index));
    return taps === 1 ? elements : c.tf.mul(elements, c.tf.tensor(own(weights), shape, 'float32'));
  });
  return parts.reduce((sum, part) => c.tf.add(sum, part));
}

const resize: GpuKernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return refuse(c, x.dtype);
  const slot = c.opset < 11 || c.node.op === 'Upsample' ? 1 : 2;
  const rank = x.shape.length;
  const axes = intsOf(c.node, 'axes', undefined)?.map((axis) => axisOf(c, axis, rank)) ?? x.shape.map((_, i) => i);
  const scales = numbersAt(c, slot)?.length ? numbersAt(c, slot) : undefined;
  const sizes = slot === 2 ? numbersAt(c, 3) : undefined;
  const region = slot === 2 ? numbersAt(c, 1) : undefined;
  const layout = gpuLayout(x);
  let device = onGpu(c.gpu, x, layout);
  let { shape } = x;
  for (const { axis, samples } of resizedAxes(c, { shape, scales, sizes, region, axes })) {
    device = resampled(c, device, axisIn(axis, rank, layout), samples);
    shape = shape.with(axis, samples.index.length / samples.taps);
  }
  return [made(c, device, { shape, layout })];
};

/** Which input element each position of an axis reads, beyond its ends too. */
function mirror(mode: string, place: number, size: number): number {
  if (mode === 'edge') return Math.min(Math.max(place, 0), size - 1);
  const period = mode === 'wrap' ? size : Math.max(1, 2 * (size - 1));
  const folded = ((place % period) + period) % period;
  return folded < size ? folded : period - folded;
}

/** The kernel of TensorFlow.js takes four axes at most; more are given to it one by one. */
function bordered(c: GpuCall, device: Device, borders: readonly [number, number][], value: number): Device {
  if (device.shape.length <= 4) return c.tf.pad(device, [...borders], value);
  return borders.reduce((whole, border, axis) => {
    if (border.every((count) => count === 0)) return whole;
    const { shape } = whole;
    const lines = c.tf.reshape(whole, [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))]);
    const wide = c.tf.pad(lines, [[0, 0], border, [0, 0]], value);
    return c.tf.reshape(wide, shape.with(axis, wide.shape[1]!));
  }, device);
}

/** Borders; negative pads cut. */
const pad: GpuKernel = (c) => {
  const x = need(c, 0);
  const rank = x.shape.length;
  if (!fitsGpu(x)) return undefined;
  const pads = listed(c, 1, 'pads') ?? intsOf(c.node, 'paddings', []);
  const axes = numbersAt(c, 3)?.map((axis) => axisOf(c, axis, rank)) ?? x.shape.map((_, i) => i);
  const mode = textOf(c.node, 'mode', 'constant');
  const layout = gpuLayout(x);
  let device = onGpu(c.gpu, x, layout);
  let { shape } = x;
  const borders = device.shape.map((): [number, number] => [0, 0]);
  for (const [i, axis] of axes.entries()) {
    const [begin, end] = [pads[i] ?? 0, pads[axes.length + i] ?? 0];
    const size = shape[axis]!;
    const own = axisIn(axis, rank, layout);
    shape = shape.with(axis, size + begin + end);
    if (size + begin + end <= 0) return undefined;
    if (mode !== 'constant' || begin < 0 || end < 0) {
      const [first, last] = mode === 'constant' ? [Math.max(0, -begin), size + Math.min(0, end)] : [-begin, size + end];
      const places = Array.from({ length: last - first }, (_, at) => mirror(mode, first + at, size));
      device = picked(c, device, own, places);
    }
    if (mode === 'constant') borders[own] = [Math.max(0, begin), Math.max(0, end)];
  }
  const value = numbersAt(c, 2)?.[0] ?? floatOf(c.node, 'value', 0);
  const whole = borders.flat().every((border) => border === 0) ? device : bordered(c, device, borders, value);
  return [made(c, whole, { shape, layout })];
};

/** Flat places of the elements that an index along one axis names. @throws EXECUTOR_FAILED outside the axis. */
function placesAlong(c: GpuCall): readonly number[] {
  const [x, index] = [need(c, 0), need(c, 1)];
  const axis = axisOf(c, intOf(c.node, 'axis', 0), x.shape.length);
  const [own, strides] = [rowMajor(index.shape), rowMajor(x.shape)];
  const named = placesWithin(c, numbersAt(c, 1)!, x.shape[axis]!); // read
  return named.map((place, i) =>
    index.shape.reduce((sum, dim, each) => {
      const coordinate = each === axis ? place : Math.floor(i / own[each]!) % dim;
      return sum + coordinate * strides[each]!;
    }, 0),
  );
}

/** Flat places of the slices that tuples of indices name, and their length. @throws EXECUTOR_FAILED outside. */
function placesOfSlices(c: GpuCall): { readonly places: readonly number[]; readonly inner: number } {
  const [x, index] = [need(c, 0), need(c, 1)];
  const depth = index.shape.at(-1) ?? 1;
  const strides = rowMajor(x.shape.slice(0, depth));
  const numbers = numbersAt(c, 1)!; // read
  const places = Array.from({ length: sizeOf(index.shape) / depth }, (_, i) =>
    strides.reduce(
      (sum, stride, axis) => sum + stride * placesWithin(c, [numbers[i * depth + axis]!], x.shape[axis]!)[0]!,
      0,
    ),
  );
  return { places, inner: sizeOf(x.shape.slice(depth)) };
}

/** Rows of x, taken as [rows, inner], with updates written over them or added; other ways are the host's. */
function scattered(c: GpuCall, places: readonly number[], inner: number): GpuReturn {
  const x = need(c, 0);
  const mode = textOf(c.node, 'reduction', 'none');
  if (!isReal(x) || (mode !== 'none' && mode !== 'add')) return undefined;
  const { tf } = c;
  const size: [number, number] = [sizeOf(x.shape) / inner, inner];
  const rows = tf.reshape(at(c, 0), size);
  const updates = tf.reshape(at(c, 2), [places.length, inner]);
  const index = tf.tensor2d([...places], [places.length, 1], 'int32');
  const sum =
    mode === 'add' ? tf.add(rows, tf.scatterND(index, updates, size)) : tf.tensorScatterUpdate(rows, index, updates);
  return [made(c, tf.reshape(sum, [...x.shape]))];
}

type GpuReturn = ReturnType<GpuKernel>;

const gatherElements: GpuKernel = (c) => {
  const { shape } = need(c, 1);
  if (!fitsGpu(need(c, 0))) return undefined;
  const found = picked(c, c.tf.reshape(at(c, 0), [-1]), 0, placesAlong(c));
  return [made(c, c.tf.reshape(found, [...shape]), { shape })];
};

const gatherND: GpuKernel = (c) => {
  const [x, index] = [need(c, 0), need(c, 1)];
  if (intOf(c.node, 'batch_dims', 0) !== 0 || !fitsGpu(x)) return undefined;
  const { places, inner } = placesOfSlices(c);
  const shape = [...index.shape.slice(0, -1), ...x.shape.slice(index.shape.at(-1))];
  const found = picked(c, c.tf.reshape(at(c, 0), [sizeOf(x.shape) / inner, inner]), 0, places);
  return [made(c, c.tf.reshape(found, shape), { shape })];
};

const scatterElements = reading([1], (c) => scattered(c, placesAlong(c), 1));

/** Reads and writes at places: by index, by position, beyond the borders. */
export const placeOps = {
  Resize: reading([1, 2, 3], resize),
  Upsample: reading([1], resize),
  Pad: reading([1, 2, 3], pad),
  GatherElements: reading([1], gatherElements),
  GatherND: reading([1], gatherND),
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: reading([1], (c) => {
    const { places, inner } = placesOfSlices(c);
    return scattered(c, places, inner);
  }),
  Shape: (c) => {
    const dims = need(c, 0).shape;
    const rank = dims.length;
    const front = (place: number) => Math.min(Math.max(place < 0 ? place + rank : place, 0), rank);
    const part = dims.slice(front(intOf(c.node, 'start', 0)), front(intOf(c.node, 'end', rank)));
    return [{ dtype: 'int64', shape: [part.length], host: longs(part) }];
  },
  Size: (c) => [{ dtype: 'int64', shape: [], host: longs([sizeOf(need(c, 0).shape)], []) }],
} as const satisfies Record<string, GpuOp>;
