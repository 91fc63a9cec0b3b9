import { type DType, fromNumbers, isFloat, sizeOf, type Tensor, tensor, toFloats, toNumbers } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { deviceMemory, outOfRange } from '../errors.js';
import type { Layout } from '../value.js';
import type { Gpu } from './gpu.js';

/**
 * A tensor inside a session, in any of three forms that are made when they are first asked for: on the host, and on
 * the GPU in either layout, 'last' having axis 1 (the channels) at the end. On the GPU every type is float32, which
 * holds truth values and whole numbers up to 2^24 exactly.
 */
export interface GpuValue {
  readonly dtype: DType;
  readonly shape: readonly number[];
  host?: Tensor | undefined;
  plain?: Device | undefined;
  last?: Device | undefined;
  /** Further forms that kernels keep, such as weights in another order. */
  derived?: Map<string, Device>;
}

/** Largest whole number below which float32 holds all of them. */
const exact = 2 ** 24;

/** A value that an op made; its tensor stays until `releaseGpuValue`. @throws EXECUTOR_MEMORY. */
export function gpuValue(
  gpu: Gpu,
  made: Device,
  { dtype, shape, layout = 'plain' }: { readonly dtype: DType; readonly shape: readonly number[]; layout?: Layout },
): GpuValue {
  const bytes = 4 * sizeOf(shape);
  if (bytes > gpu.largest) {
    const found = `${bytes} bytes for a tensor [${shape.join(',')}]`;
    throw deviceMemory('executor tfjs, backend webgpu', `tensors of at most ${gpu.largest} bytes`, found);
  }
  // One tensor is one value's: an op without work to do gives back what it was given.
  const own = (made as { readonly kept?: boolean }).kept ? made.clone() : made; // `kept` is not in the type
  return { dtype, shape, [layout]: gpu.tf.keep(own) };
}

/** Whether both layouts are the same numbers in the same order. */
const alike = (shape: readonly number[]): boolean =>
  shape.length < 3 || shape[1] === 1 || shape.slice(2).every((dim) => dim === 1);

/** The sizes of a shape in the order in which a layout holds them. */
export const sizesIn = (shape: readonly number[], layout: Layout): number[] =>
  layout === 'last' && shape.length >= 3 ? [shape[0]!, ...shape.slice(2), shape[1]!] : [...shape];

/** Where an axis lies in a layout. */
export const axisIn = (axis: number, rank: number, layout: Layout): number =>
  layout === 'plain' || rank < 3 || axis === 0 ? axis : axis === 1 ? rank - 1 : axis - 1;

/** The layout that a value has on the GPU; 'plain' where it has none. */
export const gpuLayout = (value: GpuValue): Layout => (value.plain || !value.last ? 'plain' : 'last');

/** Whether the GPU can hold a value exactly. */
export function fitsGpu(value: GpuValue): boolean {
  const { dtype, host } = value;
  if (isFloat(dtype) || value.plain || value.last || dtype === 'bool' || /^u?int(2|4|8|16)$/.test(dtype)) return true;
  return host === undefined || !beyond(toNumbers(host)).found;
}

const beyond = (numbers: ArrayLike<number>): { readonly found: boolean; readonly number: number } => {
  for (let i = 0; i < numbers.length; i++)
    if (Math.abs(numbers[i]!) > exact) return { found: true, number: numbers[i]! };
  return { found: false, number: 0 };
};

/** The tensor of a value in a layout, converted (and kept) when only another form is there. @throws EXECUTOR_RANGE. */
export function onGpu(gpu: Gpu, value: GpuValue, layout: Layout = 'plain'): Device {
  const known = value[layout];
  if (known) return known;
  const other = layout === 'plain' ? value.last : value.plain;
  const made = other ? relaid(gpu, value.shape, other, layout) : uploaded(gpu, value, layout);
  value[layout] = gpu.tf.keep(made);
  return made;
}

function relaid(gpu: Gpu, shape: readonly number[], from: Device, to: Layout): Device {
  if (alike(shape)) return gpu.tf.reshape(from, sizesIn(shape, to));
  const rank = shape.length;
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i);
  const perm = to === 'last' ? [0, ...spatial.map((i) => i + 2), 1] : [0, rank - 1, ...spatial.map((i) => i + 1)];
  return gpu.tf.transpose(from, perm);
}

function uploaded(gpu: Gpu, value: GpuValue, layout: Layout): Device {
  if (layout === 'last' && value.shape.length >= 3) return relaid(gpu, value.shape, onGpu(gpu, value), layout);
  const { dtype, shape, host } = value;
  const source = host!; // a value has one form at least
  if (isFloat(dtype)) return gpu.tf.tensor(toFloats(source), [...shape], 'float32');
  const numbers = Float32Array.from(toNumbers(source) as ArrayLike<number>);
  const { found, number } = beyond(numbers);
  if (found) throw outOfRange(`a value of ${dtype}[${shape.join(',')}] on the GPU`, `${number}`);
  return gpu.tf.tensor(numbers, [...shape], 'float32');
}

/** A form that is made once from a value and kept with it. */
export function derive(gpu: Gpu, value: GpuValue, key: string, make: () => Device): Device {
  value.derived ??= new Map();
  const known = value.derived.get(key) ?? gpu.tf.keep(make());
  value.derived.set(key, known);
  return known;
}

/** Reads a value back, and keeps what it read. */
export async function download(gpu: Gpu, value: GpuValue): Promise<Tensor> {
  if (value.host) return value.host;
  const { dtype, shape } = value;
  const device = await gpu.use(() => onGpu(gpu, value));
  // The array may be the one that was uploaded, or one that TensorFlow.js keeps.
  const numbers = Float32Array.from(await device.data());
  value.host = dtype === 'float32' ? tensor(dtype, shape, numbers) : fromNumbers(dtype, shape, numbers);
  return value.host;
}

/** Another value over the same numbers. */
export function sharedGpuValue(gpu: Gpu, value: GpuValue): GpuValue {
  const copy: GpuValue = { dtype: value.dtype, shape: value.shape, host: value.host };
  for (const layout of ['plain', 'last'] as const) {
    const device = value[layout];
    if (device) copy[layout] = gpu.tf.keep(device.clone());
  }
  return copy;
}

/** Frees what a value holds on the GPU; a host form stays. */
export function releaseGpuValue(value: GpuValue): void {
  value.plain?.dispose();
  value.last?.dispose();
  for (const device of value.derived?.values() ?? []) device.dispose();
  value.derived?.clear();
  value.plain = undefined;
  value.last = undefined;
}
