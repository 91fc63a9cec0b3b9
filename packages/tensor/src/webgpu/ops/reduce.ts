import { intOf, sizeOf } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { axisOf } from '../../operands.js';
import type { Layout } from '../../value.js';
import type { Tf } from '../gpu.js';
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
import { axisIn, type GpuValue, gpuLayout, onGpu, releaseGpuValue } from '../gpu-value.js';
import { choose } from './choose.js';
import { asFloats } from './elementwise.js';
import { exp, log } from './exponentials.js';

type Reduce = (tf: Tf, x: Device, axes: readonly number[]) => Device;

/** Sums over axes, which are kept with size 1. */
export const sumOver: Reduce = (tf, x, axes) => tf.sum(x, [...axes], true);
/** The largest over axes, which are kept with size 1. */
export const maxOver: Reduce = (tf, x, axes) => tf.max(x, [...axes], true);
const minOver: Reduce = (tf, x, axes) => tf.min(x, [...axes], true);
/** Means over axes, which are kept with size 1; 0 where there is nothing to average. */
export const meanOver: Reduce = (tf, x, axes) =>
  tf.div(sumOver(tf, x, axes), Math.max(1, sizeOf(axes.map((axis) => x.shape[axis]!))));

/** The largest elements; infinite ones as the largest number, for their own difference would be NaN. */
const topOver: Reduce = (tf, x, axes) => tf.minimum(tf.maximum(maxOver(tf, x, axes), -largest), largest);
const largest = 3.4028234663852886e38;

/** log Σ e^x = m + log Σ e^(x - m), with m the maximum. */
const logSumExpOver: Reduce = (tf, x, axes) => {
  const top = topOver(tf, x, axes);
  return tf.add(log(tf, sumOver(tf, exp(tf, tf.sub(x, top)), axes)), top);
};

/** log(1 + x) of x >= 0: where it is small the sum would lose its digits, and the series does not. */
const logOnePlus = (tf: Tf, x: Device): Device => {
  const series = tf.mul(x, tf.add(1, tf.mul(x, tf.add(-0.5, tf.mul(x, tf.add(1 / 3, tf.mul(x, -0.25)))))));
  return choose(tf, tf.less(x, 0.02), [series, log(tf, tf.add(x, 1))]);
};

/**
 * x - m - log Σ e^(x - m), with m the maximum. One of the largest elements gives 1 to the sum; only the others are
 * added, for beside it they would lose the digits that results near 0 are made of.
 */
export const logSoftmaxOver: Reduce = (tf, x, axes) => {
  const shifted = tf.sub(x, topOver(tf, x, axes));
  const isTop = tf.equal(shifted, 0);
  const others = sumOver(tf, choose(tf, isTop, [tf.zerosLike(shifted), exp(tf, shifted)]), axes);
  const ties = tf.maximum(tf.sub(sumOver(tf, asFloats(tf, isTop), axes), 1), 0);
  return tf.sub(shifted, logOnePlus(tf, tf.add(others, ties)));
};

/** The axes to reduce, from the front; undefined means none at all (`noop_with_empty_axes`). */
function axesOf(c: GpuCall, rank: number): readonly number[] | undefined {
  const given = listed(c, 1, 'axes');
  if (!given?.length)
    return intOf(c.node, 'noop_with_empty_axes', 0) === 1 ? undefined : Array.from({ length: rank }, (_, i) => i);
  return given.map((axis) => axisOf(c, axis, rank));
}

/** Reduces a value in the layout that it has. */
export function reduced(
  c: GpuCall,
  x: GpuValue,
  { axes, keep, compute }: { readonly axes: readonly number[]; readonly keep: boolean; readonly compute: Reduce },
): GpuValue {
  const rank = x.shape.length;
  const layout: Layout = gpuLayout(x);
  const own = axes.map((axis) => axisIn(axis, rank, layout));
  const shape = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const kept = made(c, compute(c.tf, onGpu(c.gpu, x, layout), own), { dtype: x.dtype, shape, layout });
  if (keep) return kept;
  const flat = x.shape.filter((_, axis) => !axes.includes(axis));
  const value = made(c, c.tf.reshape(onGpu(c.gpu, kept), [...flat]), { dtype: x.dtype, shape: flat });
  releaseGpuValue(kept);
  return value;
}

const reduce = (compute: Reduce): GpuOp =>
  reading([1], (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const axes = axesOf(c, x.shape.length);
    if (!axes || (axes.length === 0 && x.shape.length > 0)) return undefined;
    return [reduced(c, x, { axes, keep: intOf(c.node, 'keepdims', 1) === 1, compute })];
  });

/**
 * The first (or last) place of the extreme along an axis, where an element equals it; the kernel of TensorFlow.js
 * takes any of equal elements. NaN is an extreme.
 */
const argExtreme =
  (extreme: Reduce): GpuKernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const { tf } = c;
    const axis = axisOf(c, intOf(c.node, 'axis', 0), x.shape.length);
    const [length, device] = [x.shape[axis]!, at(c, 0)];
    const hit = tf.logicalOr(tf.equal(device, extreme(tf, device, [axis])), tf.isNaN(device));
    const line = x.shape.map((_, i) => (i === axis ? length : 1));
    const places = tf.reshape(tf.range(0, length, 1, 'float32'), line);
    const last = intOf(c.node, 'select_last_index', 0) === 1;
    // Places of other elements come out of the way: behind the end, or before the beginning.
    const none = last ? -1 : length;
    const named = tf.add(tf.mul(asFloats(tf, hit), tf.sub(places, none)), none);
    const found = (last ? maxOver : minOver)(tf, named, [axis]);
    const keep = intOf(c.node, 'keepdims', 1) === 1;
    const shape = x.shape.flatMap((dim, i) => (i === axis ? (keep ? [1] : []) : [dim]));
    return [made(c, tf.reshape(found, [...shape]), { dtype: 'int64', shape })];
  };

const cumSum: GpuKernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return undefined;
  const axis = axisOf(c, numbersAt(c, 1)?.[0] ?? 0, x.shape.length);
  const [exclusive, reverse] = [intOf(c.node, 'exclusive', 0) === 1, intOf(c.node, 'reverse', 0) === 1];
  return [made(c, c.tf.cumsum(at(c, 0), axis, exclusive, reverse))];
};

/** Reductions along axes. */
export const reduceOps = {
  ReduceSum: reduce(sumOver),
  ReduceMean: reduce(meanOver),
  ReduceMax: reduce(maxOver),
  ReduceMin: reduce(minOver),
  ReduceProd: reduce((tf, x, axes) => tf.prod(x, [...axes], true)),
  ReduceSumSquare: reduce((tf, x, axes) => sumOver(tf, tf.square(x), axes)),
  ReduceL1: reduce((tf, x, axes) => sumOver(tf, tf.abs(x), axes)),
  ReduceL2: reduce((tf, x, axes) => tf.sqrt(sumOver(tf, tf.square(x), axes))),
  ReduceLogSum: reduce((tf, x, axes) => log(tf, sumOver(tf, x, axes))),
  ReduceLogSumExp: reduce(logSumExpOver),
  ArgMax: argExtreme(maxOver),
  ArgMin: argExtreme(minOver),
  CumSum: reading([1], cumSum),
} as const satisfies Record<string, GpuOp>;
