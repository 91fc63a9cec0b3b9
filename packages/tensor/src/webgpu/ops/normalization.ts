import { floatOf, intOf } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { axisOf } from '../../operands.js';
import { at, type GpuCall, type GpuKernel, type GpuOp, isReal, made, need } from '../gpu-kernel.js';
import { axisIn, gpuLayout, onGpu } from '../gpu-value.js';
import { exp } from './exponentials.js';
import { logSoftmaxOver, maxOver, meanOver, sumOver } from './reduce.js';

/** 1/√(variance + ε). */
const inverseDeviation = (c: GpuCall, variance: Device): Device =>
  c.tf.rsqrt(c.tf.add(variance, floatOf(c.node, 'epsilon', 1e-5)));

/** All axes of channels-last data but the channels. */
const rowsOf = (c: GpuCall): readonly number[] => Array.from({ length: need(c, 0).shape.length - 1 }, (_, i) => i);

/** With channels last a vector of one number per channel lines up by itself. */
const batchNormalization: GpuKernel = (c) => {
  if (intOf(c.node, 'training_mode', 0) === 1 || !isReal(need(c, 0))) return undefined;
  const { tf } = c;
  const factor = tf.mul(at(c, 1), inverseDeviation(c, at(c, 4)));
  const centred = tf.sub(at(c, 0, 'last'), at(c, 3));
  return [made(c, tf.add(tf.mul(centred, factor), at(c, 2)), { layout: 'last' })];
};

/** `espalier::BatchNormTraining(x, scale, bias) -> (y, mean, variance)`; its meaning is said beside its lowering. */
const batchNormTraining: GpuKernel = (c) => {
  const { tf } = c;
  const x = at(c, 0, 'last');
  const shape = [need(c, 0).shape[1]!];
  const mean = tf.reshape(meanOver(tf, x, rowsOf(c)), shape);
  const centred = tf.sub(x, mean);
  const variance = tf.reshape(meanOver(tf, tf.square(centred), rowsOf(c)), shape);
  const factor = tf.mul(at(c, 1), inverseDeviation(c, variance));
  const y = tf.add(tf.mul(centred, factor), at(c, 2));
  return [
    made(c, y, { layout: 'last' }),
    made(c, mean, { dtype: 'float32', shape }),
    made(c, variance, { dtype: 'float32', shape }),
  ];
};

/**
 * `espalier::BatchNormGradient(x, scale, mean, variance, dy) -> (dx, dscale, dbias)`. With s = 1/√(variance + ε), v =
 * s (x - mean) and M elements per channel: dbias = Σ dy, dscale = Σ dy v, dx = scale s (dy - dbias/M - v dscale/M).
 */
const batchNormGradient: GpuKernel = (c) => {
  const { tf } = c;
  const [x, dy] = [at(c, 0, 'last'), at(c, 4, 'last')];
  const channels = need(c, 0).shape[1]!;
  const s = inverseDeviation(c, at(c, 3));
  const v = tf.mul(tf.sub(x, at(c, 2)), s);
  const dbias = tf.reshape(sumOver(tf, dy, rowsOf(c)), [channels]);
  const dscale = tf.reshape(sumOver(tf, tf.mul(dy, v), rowsOf(c)), [channels]);
  const rows = Math.max(1, x.size / channels);
  const inner = tf.sub(tf.sub(dy, tf.div(dbias, rows)), tf.mul(v, tf.div(dscale, rows)));
  const statistics = { dtype: 'float32', shape: [channels] } as const;
  return [
    made(c, tf.mul(inner, tf.mul(at(c, 1), s)), { layout: 'last' }),
    made(c, dscale, statistics),
    made(c, dbias, statistics),
  ];
};

/** x less its mean, over its deviation, along some axes. */
function normalized(c: GpuCall, x: Device, axes: readonly number[]) {
  const mean = meanOver(c.tf, x, axes);
  const centred = c.tf.sub(x, mean);
  const inverse = inverseDeviation(c, meanOver(c.tf, c.tf.square(centred), axes));
  return { value: c.tf.mul(centred, inverse), mean, inverse };
}

const layerNormalization: GpuKernel = (c) => {
  const { shape } = need(c, 0);
  const axis = axisOf(c, intOf(c.node, 'axis', -1), shape.length);
  const axes = shape.map((_, i) => i).slice(axis);
  const { value, mean, inverse } = normalized(c, at(c, 0), axes);
  const scaled = c.tf.mul(value, at(c, 1));
  const statistics = { dtype: 'float32', shape: shape.map((dim, i) => (i < axis ? dim : 1)) } as const;
  return [
    made(c, c.inputs[2] ? c.tf.add(scaled, at(c, 2)) : scaled),
    made(c, mean, statistics),
    made(c, inverse, statistics),
  ];
};

const rowsPerGroup =
  (groups: (c: GpuCall, channels: number) => number): GpuKernel =>
  (c) => {
    const { shape } = need(c, 0);
    const [n, channels, ...rest] = shape as readonly [number, number, ...number[]]; // two axes at least
    const count = groups(c, channels);
    const rows = c.tf.reshape(at(c, 0), [n * count, -1]);
    const value = c.tf.reshape(normalized(c, rows, [1]).value, [...shape]);
    const perChannel = (slot: number) => c.tf.reshape(at(c, slot), [channels, ...rest.map(() => 1)]);
    return [made(c, c.tf.add(c.tf.mul(value, perChannel(1)), perChannel(2)))];
  };

/** Along one axis from opset 13 on, over the flattened tail before. */
const softmax =
  (compute: (c: GpuCall, x: Device, axes: readonly number[]) => Device): GpuKernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const rank = x.shape.length;
    const old = c.opset < 13;
    const axis = axisOf(c, intOf(c.node, 'axis', old ? 1 : -1), rank);
    if (old) return [made(c, compute(c, at(c, 0), x.shape.map((_, i) => i).slice(axis)))];
    const layout = gpuLayout(x);
    return [made(c, compute(c, onGpu(c.gpu, x, layout), [axisIn(axis, rank, layout)]), { layout })];
  };

/** Normalisations and normalised exponentials. */
export const normalizationOps = {
  BatchNormalization: batchNormalization,
  'espalier::BatchNormTraining': batchNormTraining,
  'espalier::BatchNormGradient': batchNormGradient,
  LayerNormalization: layerNormalization,
  InstanceNormalization: rowsPerGroup((_, channels) => channels),
  GroupNormalization: rowsPerGroup((c) => intOf(c.node, 'num_groups', 1)),
  Softmax: softmax(({ tf }, x, axes) => {
    const powers = exp(tf, tf.sub(x, maxOver(tf, x, axes)));
    return tf.div(powers, sumOver(tf, powers, axes));
  }),
  LogSoftmax: softmax(({ tf }, x, axes) => logSoftmaxOver(tf, x, axes)),
} as const satisfies Record<string, GpuOp>;
