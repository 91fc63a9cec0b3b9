import { floatOf, intOf, sizeOf } from '@espalier/core';
import type { Heap } from '../heap.js';
import type { Call, Kernel } from '../kernel.js';
import { at, axisOf, blockFor, isReal, need } from '../operands.js';
import { copyView } from '../strided.js';
import { blockOf, deviceValue, releaseValue, type Value } from '../value.js';
import { applyBinary } from './binary.js';

/** A copy of the floats of an input that holds one number per channel. */
const vector = (c: Call, slot: number): Float32Array => c.heap.floats(blockOf(c.heap, need(c, slot), 'plain')).slice();

/** Runs `work` with vectors put into memory for its time. */
function withVectors<T>(heap: Heap, vectors: readonly Float32Array[], work: (pointers: readonly number[]) => T): T {
  const blocks = vectors.map((each) => {
    const block = heap.allocate(each.length);
    heap.floats(block).set(each);
    return block;
  });
  try {
    return work(blocks.map(({ pointer }) => pointer));
  } finally {
    for (const block of blocks) heap.release(block);
  }
}

/** Elements per channel of [N, C, ...]. */
const rowsOf = ({ shape }: Value): number => sizeOf(shape) / shape[1]!;

/** y = a x + b per channel, channels last, in place where x dies. */
function affine(c: Call, a: Float32Array, b: Float32Array): Value {
  const x = need(c, 0);
  const channels = x.shape[1]!;
  const from = blockOf(c.heap, x, 'last');
  const out = blockFor(c, 0, 'last');
  withVectors(c.heap, [a, b], ([pa, pb]) => {
    c.heap.kernels.columnAffine(from.pointer, 0, out.pointer, rowsOf(x), channels, pa!, pb!, 0);
  });
  return deviceValue(x.dtype, x.shape, out, 'last');
}

/** Factor and offset that normalising by mean and variance comes to. */
function affineOf(
  c: Call,
  { scale, bias, mean, variance }: Readonly<Record<'scale' | 'bias' | 'mean' | 'variance', Float32Array>>,
) {
  const epsilon = floatOf(c.node, 'epsilon', 1e-5);
  const a = scale.map((each, i) => each / Math.sqrt(variance[i]! + epsilon));
  return [a, bias.map((each, i) => each - mean[i]! * a[i]!)] as const;
}

const batchNormalization: Kernel = (c) => {
  if (intOf(c.node, 'training_mode', 0) === 1 || !isReal(need(c, 0))) return undefined;
  const [scale, bias, mean, variance] = [vector(c, 1), vector(c, 2), vector(c, 3), vector(c, 4)];
  return [affine(c, ...affineOf(c, { scale, bias, mean, variance }))];
};

/** `espalier::BatchNormTraining(x, scale, bias) -> (y, mean, variance)`. */
const batchNormTraining: Kernel = (c) => {
  const x = need(c, 0);
  const channels = x.shape[1]!;
  const [means, variances] = [c.heap.allocate(channels), c.heap.allocate(channels)];
  c.heap.kernels.columnMoments(at(c, 0, 'last'), means.pointer, variances.pointer, rowsOf(x), channels, c.heap.room);
  const [mean, variance] = [c.heap.floats(means).slice(), c.heap.floats(variances).slice()];
  const y = affine(c, ...affineOf(c, { scale: vector(c, 1), bias: vector(c, 2), mean, variance }));
  return [y, deviceValue('float32', [channels], means), deviceValue('float32', [channels], variances)];
};

/**
 * `espalier::BatchNormGradient(x, scale, mean, variance, dy) -> (dx, dscale, dbias)`. With s = 1/√(variance + ε) and M
 * elements per channel: dbias = Σ dy, dscale = s Σ dy (x - mean), dx = a dy + b x + e with a = scale s,
 * b = -a s dscale / M and e = -a dbias / M - b mean.
 */
const batchNormGradient: Kernel = (c) => {
  const x = need(c, 0);
  const channels = x.shape[1]!;
  const rows = rowsOf(x);
  const epsilon = floatOf(c.node, 'epsilon', 1e-5);
  const [dbias, dscale] = [c.heap.allocate(channels), c.heap.allocate(channels)];
  const [px, pdy] = [at(c, 0, 'last'), at(c, 4, 'last')];
  c.heap.kernels.columnProducts(px, pdy, at(c, 2), dbias.pointer, dscale.pointer, rows, channels, c.heap.room);
  const [scale, mean, variance] = [vector(c, 1), vector(c, 2), vector(c, 3)];
  const [sums, products] = [c.heap.floats(dbias), c.heap.floats(dscale)];
  const [a, b, e] = [0, 1, 2].map(() => new Float32Array(channels)) as [Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < channels; i++) {
    const s = 1 / Math.sqrt(variance[i]! + epsilon);
    products[i]! *= s;
    a[i] = scale[i]! * s;
    b[i] = (-a[i]! * s * products[i]!) / rows;
    e[i] = (-a[i]! * sums[i]!) / rows - b[i]! * mean[i]!;
  }
  const out = blockFor(c, 4, 'last');
  withVectors(c.heap, [b, e, a], ([pb, pe, pa]) => {
    c.heap.kernels.columnAffine(px, pdy, out.pointer, rows, channels, pb!, pe!, pa!);
  });
  return [
    deviceValue(x.dtype, x.shape, out, 'last'),
    deviceValue('float32', [channels], dscale),
    deviceValue('float32', [channels], dbias),
  ];
};

/** Combines with a scale and a bias by broadcasting, giving up what it combines. */
function scaled(c: Call, value: Value, parts: readonly (readonly ['Mul' | 'Add', Value | undefined])[]): Value {
  const calm = { ...c, dies: () => false };
  let result = value;
  for (const [op, part] of parts) {
    if (!part) continue;
    const next = applyBinary(calm, op, { a: result, b: part });
    releaseValue(c.heap, result);
    result = next;
  }
  return result;
}

/** Normalises the tail of the shape as one row each. */
function normalizedRows(c: Call, rows: number): { value: Value; mean: Value; inverse: Value } {
  const x = need(c, 0);
  const length = sizeOf(x.shape) / Math.max(1, rows);
  const [out, means, inverses] = [c.heap.allocate(sizeOf(x.shape)), c.heap.allocate(rows), c.heap.allocate(rows)];
  const epsilon = floatOf(c.node, 'epsilon', 1e-5);
  c.heap.kernels.normalizeRows(at(c, 0), out.pointer, rows, length, epsilon, means.pointer, inverses.pointer);
  return {
    value: deviceValue(x.dtype, x.shape, out),
    mean: deviceValue('float32', [rows], means),
    inverse: deviceValue('float32', [rows], inverses),
  };
}

const layerNormalization: Kernel = (c) => {
  const { shape } = need(c, 0);
  const axis = axisOf(c, intOf(c.node, 'axis', -1), shape.length);
  const { value, mean, inverse } = normalizedRows(c, sizeOf(shape.slice(0, axis)));
  const y = scaled(c, value, [
    ['Mul', need(c, 1)],
    ['Add', c.inputs[2]],
  ]);
  const statistics = shape.map((dim, i) => (i < axis ? dim : 1));
  return [y, { ...mean, shape: statistics }, { ...inverse, shape: statistics }];
};

/** A value of one number per channel as [C, 1, ...], sharing its memory. */
function perChannel(c: Call, slot: number, rank: number): Value {
  const block = blockOf(c.heap, need(c, slot), 'plain');
  return deviceValue('float32', [block.count, ...new Array<number>(rank - 2).fill(1)], block);
}

const rowsPerGroup =
  (groups: (c: Call, channels: number) => number): Kernel =>
  (c) => {
    const { shape } = need(c, 0);
    const { value, mean, inverse } = normalizedRows(c, shape[0]! * groups(c, shape[1]!));
    releaseValue(c.heap, mean);
    releaseValue(c.heap, inverse);
    return [
      scaled(c, value, [
        ['Mul', perChannel(c, 1, shape.length)],
        ['Add', perChannel(c, 2, shape.length)],
      ]),
    ];
  };

/** Softmax along one axis from opset 13 on, over the flattened tail before. */
const softmax =
  (logarithm: 0 | 1): Kernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const rank = x.shape.length;
    const old = c.opset < 13;
    const axis = axisOf(c, intOf(c.node, 'axis', old ? 1 : -1), rank);
    const length = old ? sizeOf(x.shape.slice(axis)) : x.shape[axis]!;
    const rows = sizeOf(x.shape) / Math.max(1, length);
    // The channels of an image are its rows when they lie last in memory.
    const channels = !old && axis === 1 && rank >= 3;
    if (!old && axis !== rank - 1 && !channels) return alongOther(c, { axis, logarithm });
    const layout = channels ? 'last' : 'plain';
    const from = at(c, 0, layout);
    const out = logarithm ? c.heap.allocate(sizeOf(x.shape)) : blockFor(c, 0, layout);
    if (length > 0) c.heap.kernels.softmax(from, out.pointer, rows, length, logarithm);
    return [deviceValue(x.dtype, x.shape, out, layout)];
  };

/** The axis is brought to the end and back. */
function alongOther(
  c: Call,
  { axis, logarithm }: { readonly axis: number; readonly logarithm: 0 | 1 },
): readonly Value[] {
  const x = need(c, 0);
  const [outer, length, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
  const count = sizeOf(x.shape);
  const turned = c.heap.allocate(count);
  const [ahead, behind] = [
    [length * inner, 1, inner],
    [length * inner, length, 1],
  ] as const;
  const shape = [outer, inner, length];
  const place = (pointer: number, strides: readonly number[]) => ({ pointer, strides });
  copyView(c.heap, { shape, source: place(at(c, 0), ahead), target: place(turned.pointer, behind) });
  const work = logarithm ? c.heap.allocate(count) : turned;
  if (length > 0) c.heap.kernels.softmax(turned.pointer, work.pointer, outer * inner, length, logarithm);
  const out = c.heap.allocate(count);
  copyView(c.heap, { shape, source: place(work.pointer, behind), target: place(out.pointer, ahead) });
  for (const block of new Set([turned, work])) c.heap.release(block);
  return [deviceValue(x.dtype, x.shape, out)];
}

/** Normalisations and normalised exponentials. */
export const normalizationKernels = {
  BatchNormalization: batchNormalization,
  'espalier::BatchNormTraining': batchNormTraining,
  'espalier::BatchNormGradient': batchNormGradient,
  LayerNormalization: layerNormalization,
  InstanceNormalization: rowsPerGroup((_, channels) => channels),
  GroupNormalization: rowsPerGroup((c) => intOf(c.node, 'num_groups', 1)),
  Softmax: softmax(0),
  LogSoftmax: softmax(1),
} as const satisfies Record<string, Kernel>;
