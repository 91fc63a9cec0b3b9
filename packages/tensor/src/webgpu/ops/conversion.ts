import { type DType, intOf, isFloat, sizeOf } from '@espalier/core';
import { dtypeAttribute } from '@espalier/ops';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import { integerBounds } from '../../integer-bounds.js';
import { axisOf } from '../../operands.js';
import { type GpuCall, type GpuKernel, type GpuOp, isReal, made, need } from '../gpu-kernel.js';
import { axisIn, fitsGpu, type GpuValue, gpuLayout, onGpu, sharedGpuValue } from '../gpu-value.js';
import { asFloats, asTruths } from './elementwise.js';

/** Floats that are float32 in here without loss of what their type would round. */
const full: ReadonlySet<DType> = new Set(['float32', 'float64']);

/** Types that round, wrap or truncate are converted on the host; the others are the same floats here. */
function converted(c: GpuCall, to: DType): readonly GpuValue[] | undefined {
  const x = need(c, 0);
  if (x.dtype === to) return [sharedGpuValue(c.gpu, x)];
  if (!fitsGpu(x)) return undefined;
  const layout = gpuLayout(x);
  if (to === 'bool') return [made(c, asFloats(c.tf, asTruths(c.tf, onGpu(c.gpu, x, layout))), { dtype: to, layout })];
  // Between wide integers, and to floats, the numbers stay.
  const wide = to === 'int64' || to === 'int32';
  if (!full.has(to) && !(wide && !isFloat(x.dtype))) return undefined;
  return [made(c, onGpu(c.gpu, x, layout), { dtype: to, layout })];
}

const cast: GpuKernel = (c) => {
  const to = dtypeAttribute(c.node, 'to');
  return to && converted(c, to);
};

/** Scale or zero point as they line up with x in its layout; undefined where they stand for blocks of an axis. */
function alongAxis(c: GpuCall, slot: number): Device | undefined {
  const [x, value] = [need(c, 0), need(c, slot)];
  const layout = gpuLayout(x);
  if (sizeOf(value.shape) === 1) return c.tf.reshape(onGpu(c.gpu, value), []);
  if (value.shape.length !== 1 || intOf(c.node, 'block_size', 0) !== 0) return undefined;
  const rank = x.shape.length;
  const axis = axisOf(c, intOf(c.node, 'axis', 1), rank);
  if (value.shape[0] !== x.shape[axis]) return undefined;
  const own = axisIn(axis, rank, layout);
  return c.tf.reshape(
    onGpu(c.gpu, value),
    x.shape.map((_, i) => (i === own ? value.shape[0]! : 1)),
  );
}

const quantizeLinear: GpuKernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return undefined;
  const dtype = c.inputs[2]?.dtype ?? dtypeAttribute(c.node, 'output_dtype') ?? 'uint8';
  const range = integerBounds[dtype];
  const scale = alongAxis(c, 1);
  const zero = c.inputs[2] ? alongAxis(c, 2) : c.tf.scalar(0);
  if (!range || !scale || !zero) return undefined;
  const { tf } = c;
  const layout = gpuLayout(x);
  const codes = tf.add(tf.round(tf.div(onGpu(c.gpu, x, layout), scale)), zero);
  return [made(c, tf.minimum(tf.maximum(codes, range[0]), range[1]), { dtype, layout })];
};

const dequantizeLinear: GpuKernel = (c) => {
  const x = need(c, 0);
  if (isReal(x) || !fitsGpu(x)) return undefined;
  const [scale, zero] = [alongAxis(c, 1), c.inputs[2] ? alongAxis(c, 2) : c.tf.scalar(0)];
  if (!scale || !zero) return undefined;
  const layout = gpuLayout(x);
  const floats = c.tf.mul(c.tf.sub(onGpu(c.gpu, x, layout), zero), scale);
  return [made(c, floats, { dtype: need(c, 1).dtype, layout })];
};

/** Changes of type, and quantizers. */
export const conversionOps = {
  Cast: cast,
  CastLike: (c) => converted(c, need(c, 1).dtype),
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  'espalier::FakeQuantize': 'lowered',
  'espalier::FakeQuantizeGradient': 'lowered',
} as const satisfies Record<string, GpuOp>;
