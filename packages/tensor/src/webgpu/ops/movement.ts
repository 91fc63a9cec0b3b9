import { intOf, sizeOf, tensor, textOf } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { wrongShapes } from '../../errors.js';
import { broadcast } from '../../kernels/binary.js';
import { axisOrder, exchanges, fittingShape, newShapes } from '../../new-shapes.js';
import { axisOf, refuse } from '../../operands.js';
import type { Layout } from '../../value.js';
import { at, type GpuCall, type GpuKernel, type GpuOp, listed, made, need, numbersAt, reading } from '../gpu-kernel.js';
import { axisIn, fitsGpu, type GpuValue, gpuLayout, onGpu, sharedGpuValue, sizesIn } from '../gpu-value.js';
import { commonLayout } from './align.js';

/** A kernel that moves elements of any type that the GPU holds exactly; others are moved on the host. */
const moving =
  (kernel: (c: GpuCall, x: GpuValue) => readonly GpuValue[] | undefined): GpuKernel =>
  (c) =>
    fitsGpu(need(c, 0)) ? kernel(c, need(c, 0)) : undefined;

const identity: GpuKernel = (c) => [sharedGpuValue(c.gpu, need(c, 0))];

const shaped = (op: keyof typeof newShapes): GpuOp =>
  reading(
    [1],
    moving((c, x) => {
      const site = { node: c.node, shape: x.shape, listed: (slot: number, name: string) => listed(c, slot, name) };
      const shape = fittingShape(site, newShapes[op](site));
      return [made(c, c.tf.reshape(at(c, 0), [...shape]), { shape })];
    }),
  );

/** Between channels first and channels last nothing moves: the layouts exchange their names. */
const transpose = moving((c, x) => {
  const perm = axisOrder(c.node, x.shape.length);
  const shape = perm.map((axis) => x.shape[axis]!);
  if (x.last && exchanges(perm, 'last')) return [made(c, x.last.clone(), { shape })];
  if (x.plain && exchanges(perm, 'plain')) return [made(c, x.plain.clone(), { shape, layout: 'last' })];
  return [made(c, c.tf.transpose(at(c, 0), [...perm]), { shape })];
});

const concat = moving((c, x) => {
  const parts = c.inputs.map((_, slot) => need(c, slot));
  if (!parts.every(fitsGpu)) return undefined;
  const rank = x.shape.length;
  const axis = axisOf(c, intOf(c.node, 'axis', 0), rank);
  const shape = x.shape.with(
    axis,
    parts.reduce((sum, part) => sum + part.shape[axis]!, 0),
  );
  for (const part of parts) {
    if (part.shape.length !== rank || part.shape.some((dim, i) => i !== axis && dim !== shape[i]))
      throw wrongShapes(c.node, `shapes like [${shape.join(',')}] but for axis ${axis}`, `[${part.shape.join(',')}]`);
  }
  const layout = commonLayout(parts, rank);
  const devices = parts.filter((part) => part.shape[axis] !== 0).map((part) => onGpu(c.gpu, part, layout));
  return [made(c, c.tf.concat(devices, axisIn(axis, rank, layout)), { shape, layout })];
});

/** Places along an axis, as the GPU wants them. @throws EXECUTOR_FAILED outside the axis. */
export function placesWithin(c: GpuCall, numbers: readonly number[], length: number): readonly number[] {
  return numbers.map((number) => {
    const front = number < 0 ? number + length : number;
    if (front >= 0 && front < length) return front;
    throw wrongShapes(c.node, `indices within ${length}`, `${number}`);
  });
}

/** Elements of a tensor on the GPU picked along one axis. */
export const picked = (c: GpuCall, device: Device, axis: number, places: readonly number[]): Device =>
  c.tf.gather(device, c.tf.tensor1d([...places], 'int32'), axis);

const gather = moving((c, x) => {
  const index = need(c, 1);
  const axis = axisOf(c, intOf(c.node, 'axis', 0), x.shape.length);
  const places = placesWithin(c, numbersAt(c, 1)!, x.shape[axis]!); // read
  const shape = [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)];
  if (sizeOf(shape) === 0) return undefined;
  return [made(c, c.tf.reshape(picked(c, at(c, 0), axis, places), shape), { shape })];
});

/**
 * A tensor with each axis repeated. The kernel of TensorFlow.js takes four axes at most (five make the device fail);
 * more are given to it one by one.
 */
function tiled(c: GpuCall, device: Device, times: readonly number[]): Device {
  if (device.shape.length <= 4) return times.every((each) => each === 1) ? device : c.tf.tile(device, [...times]);
  return times.reduce((whole, count, axis) => {
    if (count === 1) return whole;
    const { shape } = whole;
    const lines = c.tf.reshape(whole, [sizeOf(shape.slice(0, axis)), 1, sizeOf(shape.slice(axis))]);
    return c.tf.reshape(c.tf.tile(lines, [1, count, 1]), shape.with(axis, shape[axis]! * count));
  }, device);
}

/** A tensor repeated to sizes that it broadcasts to. */
export function repeated(c: GpuCall, device: Device, shape: readonly number[]): Device {
  const lead = shape.length - device.shape.length;
  const full = [...new Array<number>(lead).fill(1), ...device.shape];
  const times = shape.map((dim, axis) => dim / full[axis]!);
  return tiled(c, c.tf.reshape(device, full), times);
}

const expand = moving((c, x) => {
  const shape = broadcast(c, x.shape, numbersAt(c, 1) ?? refuse(c, 'no shape'));
  if (sizeOf(shape) === 0) return undefined;
  const layout = shape.length === x.shape.length ? gpuLayout(x) : 'plain';
  return [made(c, repeated(c, onGpu(c.gpu, x, layout), sizesIn(shape, layout)), { shape, layout })];
});

const tile = moving((c, x) => {
  const times = numbersAt(c, 1) ?? refuse(c, 'no repeats');
  const shape = x.shape.map((dim, axis) => dim * times[axis]!);
  if (sizeOf(shape) === 0) return undefined;
  return [made(c, tiled(c, at(c, 0), times), { shape })];
});

/** Keeps the upper (or lower) triangle of the last two axes. */
const trilu = moving((c, x) => {
  const [rows, columns] = [x.shape.at(-2) ?? 1, x.shape.at(-1) ?? 1];
  const k = numbersAt(c, 1)?.[0] ?? 0;
  const upper = intOf(c.node, 'upper', 1) === 1;
  const line = c.tf.reshape(c.tf.range(0, columns, 1, 'float32'), [1, columns]);
  const column = c.tf.reshape(c.tf.range(0, rows, 1, 'float32'), [rows, 1]);
  const beside = c.tf.sub(line, c.tf.add(column, k));
  const stays = upper ? c.tf.greaterEqual(beside, 0) : c.tf.lessEqual(beside, 0);
  const matrices = c.tf.reshape(at(c, 0), [-1, rows, columns]);
  return [made(c, c.tf.reshape(c.tf.where(stays, matrices, c.tf.zerosLike(matrices)), [...x.shape]))];
});

const split = moving((c, x) => {
  const rank = x.shape.length;
  const axis = axisOf(c, intOf(c.node, 'axis', 0), rank);
  const size = x.shape[axis]!;
  const count = intOf(c.node, 'num_outputs', c.node.outputs.length);
  const each = Math.ceil(size / count);
  const sizes = listed(c, 1, 'split') ?? Array.from({ length: count }, (_, i) => Math.min(each, size - i * each));
  if (sizes.some((part) => part < 0) || sizes.reduce((sum, part) => sum + part, 0) !== size)
    throw wrongShapes(c.node, `parts that add up to ${size}`, `${sizes.join(', ')}`);
  if (sizes.includes(0)) return undefined;
  const layout = gpuLayout(x);
  const own = axisIn(axis, rank, layout);
  let from = 0;
  return sizes.map((part) => {
    const device = partOf(c, onGpu(c.gpu, x, layout), { axis: own, from, count: part });
    from += part;
    return made(c, device, { shape: x.shape.with(axis, part), layout });
  });
});

/** Neighbouring elements along one axis. */
export const partOf = (
  c: GpuCall,
  device: Device,
  { axis, from, count }: { readonly axis: number; readonly from: number; readonly count: number },
): Device =>
  c.tf.slice(
    device,
    device.shape.map((_, i) => (i === axis ? from : 0)),
    device.shape.map((dim, i) => (i === axis ? count : dim)),
  );

/** Where a slice begins and how many elements it takes, by ONNX's clamping. */
function sliced(size: number, begin: number, end: number, step: number): { first: number; count: number } {
  const front = (place: number) => (place < 0 ? place + size : place);
  const clamp = (place: number, low: number, high: number) => Math.min(Math.max(place, low), high);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const first = clamp(front(begin), 0, step > 0 ? size : size - 1);
  return { first, count: Math.max(0, Math.ceil((clamp(front(end), low, high) - first) / step)) };
}

const slice = moving((c, x) => {
  const rank = x.shape.length;
  const begins = listed(c, 1, 'starts') ?? refuse(c, 'no starts');
  const ends = listed(c, 2, 'ends') ?? refuse(c, 'no ends');
  const axes = (listed(c, 3, 'axes') ?? begins.map((_, i) => i)).map((axis) => axisOf(c, axis, rank));
  const steps = numbersAt(c, 4) ?? begins.map(() => 1);
  const layout: Layout = gpuLayout(x);
  const parts = axes.map((axis, i) => {
    const step = steps[i] ?? 1;
    if (step === 0) throw wrongShapes(c.node, 'steps other than 0', '0');
    return { axis, step, ...sliced(x.shape[axis]!, begins[i]!, ends[i] ?? 0, step) };
  });
  if (parts.some(({ count }) => count === 0)) return undefined;
  const device = parts.reduce(
    (whole, { axis, step, first, count }) =>
      everyNth(c, whole, { axis: axisIn(axis, rank, layout), first, step, count }),
    onGpu(c.gpu, x, layout),
  );
  const shape = parts.reduce<readonly number[]>((sizes, { axis, count }) => sizes.with(axis, count), x.shape);
  return [made(c, device, { shape, layout })];
});

/** Elements along one axis at equal distances, forward or backward. */
export function everyNth(
  c: GpuCall,
  device: Device,
  { axis, first, step, count }: { axis: number; first: number; step: number; count: number },
): Device {
  if (step === 1) {
    const whole = first === 0 && count === device.shape[axis];
    return whole ? device : partOf(c, device, { axis, from: first, count });
  }
  return picked(
    c,
    device,
    axis,
    Array.from({ length: count }, (_, i) => first + i * step),
  );
}

const depthToSpace = moving((c, x) => {
  const [n, channels, h, w] = x.shape as [number, number, number, number]; // images
  const b = intOf(c.node, 'blocksize', 1);
  const deep = channels / (b * b);
  const first = textOf(c.node, 'mode', 'DCR') === 'DCR';
  const apart = c.tf.reshape(at(c, 0), first ? [n, b, b, deep, h * w] : [n, deep, b, b, h * w]);
  // Six axes at most: rows and columns come apart only after the channels are in front.
  const front = first ? c.tf.transpose(apart, [0, 3, 1, 2, 4]) : apart;
  const turned = c.tf.transpose(c.tf.reshape(front, [n * deep, b, b, h, w]), [0, 3, 1, 4, 2]);
  const shape = [n, deep, h * b, w * b];
  return [made(c, c.tf.reshape(turned, shape), { shape })];
});

const spaceToDepth = moving((c, x) => {
  const [n, channels, h, w] = x.shape as [number, number, number, number]; // images
  const b = intOf(c.node, 'blocksize', 1);
  const apart = c.tf.reshape(at(c, 0), [n * channels, h / b, b, w / b, b]);
  const blocks = c.tf.reshape(c.tf.transpose(apart, [0, 2, 4, 1, 3]), [n, channels, b * b, (h / b) * (w / b)]);
  const shape = [n, channels * b * b, h / b, w / b];
  const ordered = textOf(c.node, 'mode', 'DCR') === 'DCR' ? c.tf.transpose(blocks, [0, 2, 1, 3]) : blocks;
  return [made(c, c.tf.reshape(ordered, shape), { shape })];
});

/** Without training, or with nothing to drop, the data itself and a mask of ones. */
const dropout: GpuKernel = (c) => {
  if (numbersAt(c, 2)?.[0] && (numbersAt(c, 1)?.[0] ?? 0.5) !== 0) return undefined;
  const { shape } = need(c, 0);
  if (c.node.outputs[1] === undefined) return identity(c);
  const mask = tensor('bool', shape, new Uint8Array(sizeOf(shape)).fill(1));
  return [...identity(c)!, { dtype: 'bool', shape, host: mask }]; // identity computes every form
};

/** Ops that move elements without computing, and those that make arrays of nothing. */
export const movementOps = {
  Identity: identity,
  Dropout: reading([1, 2], dropout),
  Reshape: shaped('Reshape'),
  Flatten: shaped('Flatten'),
  Squeeze: shaped('Squeeze'),
  Unsqueeze: shaped('Unsqueeze'),
  Transpose: transpose,
  Concat: concat,
  Gather: reading([1], gather),
  Expand: reading([1], expand),
  Tile: reading([1], tile),
  Trilu: reading([1], trilu),
  Split: reading([1], split),
  Slice: reading([1, 2, 3, 4], slice),
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Constant: 'host',
  ConstantOfShape: 'host',
  Range: 'host',
  EyeLike: 'host',
  NonZero: 'host',
  OneHot: 'host',
} as const satisfies Record<string, GpuOp>;
