import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { broadcast } from '../../kernels/binary.js';
import type { Tf } from '../gpu.js';
import { type GpuCall, type GpuKernel, type GpuOp, isReal, made, need } from '../gpu-kernel.js';
import { type GpuValue, sizesIn } from '../gpu-value.js';
import { aligned, commonLayout } from './align.js';
import { choose } from './choose.js';
import { asFloats, asTruths } from './elementwise.js';
import { repeated } from './movement.js';

type Compute = (tf: Tf, a: Device, b: Device) => Device;

/** A function of two arrays with broadcasting. */
function applied(c: GpuCall, [a, b]: readonly [GpuValue, GpuValue], compute: Compute): GpuValue {
  const shape = broadcast(c, a.shape, b.shape);
  const layout = commonLayout([a, b], shape.length);
  const how = { rank: shape.length, layout };
  return made(c, compute(c.tf, aligned(c, a, how), aligned(c, b, how)), { dtype: a.dtype, shape, layout });
}

const arithmetic =
  (compute: Compute): GpuKernel =>
  (c) =>
    isReal(need(c, 0)) ? [applied(c, [need(c, 0), need(c, 1)], compute)] : undefined;

const comparison =
  (compute: Compute): GpuKernel =>
  (c) => {
    if (!isReal(need(c, 0))) return undefined;
    const truths = applied(c, [need(c, 0), need(c, 1)], (tf, a, b) => asFloats(tf, compute(tf, a, b)));
    return [{ ...truths, dtype: 'bool' }];
  };

/** A function of truth values, which are 0 and 1. */
const logical =
  (compute: Compute): GpuKernel =>
  (c) =>
    need(c, 0).dtype === 'bool' ? [applied(c, [need(c, 0), need(c, 1)], compute)] : undefined;

/** Any number of arrays, from the first to the last. */
const folded =
  (compute: Compute, mean = false): GpuKernel =>
  (c) => {
    if (!isReal(need(c, 0))) return undefined;
    const all = c.inputs.map((_, slot) => need(c, slot));
    const shape = all.reduce<readonly number[]>((sum, { shape: own }) => broadcast(c, sum, own), []);
    const layout = commonLayout(all, shape.length);
    const parts = all.map((value) => aligned(c, value, { rank: shape.length, layout }));
    const total = parts.reduce((sum, part) => compute(c.tf, sum, part));
    return [made(c, mean ? c.tf.div(total, parts.length) : total, { shape, layout })];
  };

const where: GpuKernel = (c) => {
  const [condition, a, b] = [need(c, 0), need(c, 1), need(c, 2)];
  if (!isReal(a)) return undefined;
  const shape = broadcast(c, condition.shape, broadcast(c, a.shape, b.shape));
  const layout = commonLayout([condition, a, b], shape.length);
  const sizes = sizesIn(shape, layout);
  const [truths, x, y] = [condition, a, b].map((value) =>
    repeated(c, aligned(c, value, { rank: shape.length, layout }), sizes),
  ) as [Device, Device, Device]; // as many as there were
  return [made(c, choose(c.tf, asTruths(c.tf, truths), [x, y]), { dtype: a.dtype, shape, layout })];
};

/** x where it is positive, slope x elsewhere. */
const leaky: Compute = (tf, x, slope) => tf.add(tf.maximum(x, 0), tf.mul(tf.minimum(x, 0), slope));

/** Functions of several arrays, with broadcasting. */
export const binaryOps = {
  Add: arithmetic((tf, a, b) => tf.add(a, b)),
  Sub: arithmetic((tf, a, b) => tf.sub(a, b)),
  Mul: arithmetic((tf, a, b) => tf.mul(a, b)),
  Div: arithmetic((tf, a, b) => tf.div(a, b)),
  PRelu: arithmetic(leaky),
  Max: folded((tf, a, b) => tf.maximum(a, b)),
  Min: folded((tf, a, b) => tf.minimum(a, b)),
  Sum: folded((tf, a, b) => tf.add(a, b)),
  Mean: folded((tf, a, b) => tf.add(a, b), true),
  Mod: 'host',
  Equal: comparison((tf, a, b) => tf.equal(a, b)),
  Greater: comparison((tf, a, b) => tf.greater(a, b)),
  GreaterOrEqual: comparison((tf, a, b) => tf.greaterEqual(a, b)),
  Less: comparison((tf, a, b) => tf.less(a, b)),
  LessOrEqual: comparison((tf, a, b) => tf.lessEqual(a, b)),
  And: logical((tf, a, b) => tf.mul(a, b)),
  Or: logical((tf, a, b) => tf.maximum(a, b)),
  Xor: logical((tf, a, b) => tf.abs(tf.sub(a, b))),
  Where: where,
} as const satisfies Record<string, GpuOp>;
