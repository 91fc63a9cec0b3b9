import { floatOf, intOf, sizeOf, textOf } from '@espalier/core';
import type { Tensor as Device } from '@tensorflow/tfjs-core';
import type { Tf } from '../gpu.js';
import { type GpuCall, type GpuKernel, type GpuOp, isReal, made, need, numbersAt, reading } from '../gpu-kernel.js';
import { gpuLayout, onGpu } from '../gpu-value.js';
import { choose } from './choose.js';
import { exp, keepNaN, log } from './exponentials.js';

type Compute = (tf: Tf, x: Device, c: GpuCall) => Device;

/** A function of floats, element by element, in the layout that is there. */
const real =
  (compute: Compute): GpuKernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const layout = gpuLayout(x);
    return [made(c, compute(c.tf, onGpu(c.gpu, x, layout), c), { layout })];
  };

/** A function of floats that the GPU may make a number of for NaN. */
const guarded = (compute: Compute): GpuKernel => real((tf, x, c) => keepNaN(tf, x, compute(tf, x, c)));

/** A function whose answers are truth values, which are 0 and 1 here. */
const truth =
  (compute: Compute): GpuKernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const layout = gpuLayout(x);
    return [made(c, asFloats(c.tf, compute(c.tf, onGpu(c.gpu, x, layout), c)), { layout, dtype: 'bool' })];
  };

/** Truth values of TensorFlow.js, integers in memory, as floats. A cast would only rename them. */
export const asFloats = (tf: Tf, truths: Device): Device => tf.mul(tf.cast(truths, 'float32'), 1);

/** Numbers as truth values of TensorFlow.js. */
export const asTruths = (tf: Tf, numbers: Device): Device => tf.notEqual(numbers, 0);

const alpha = (c: GpuCall, fallback: number): number => floatOf(c.node, 'alpha', fallback);
const positive = (tf: Tf, x: Device): Device => tf.maximum(x, 0);
const negative = (tf: Tf, x: Device): Device => tf.minimum(x, 0);
/** e^x - 1 with its digits near 0: for small x the difference loses them, and a polynomial does not. */
const expMinusOne = (tf: Tf, x: Device): Device => {
  const direct = tf.sub(exp(tf, x), 1);
  const near = tf.mul(x, tf.add(1, tf.mul(x, tf.add(0.5, tf.mul(x, tf.add(1 / 6, tf.mul(x, 1 / 24)))))));
  return choose(tf, tf.less(tf.abs(x), 0.05), [near, direct]);
};
/** scale (max(x, 0) + alpha (e^min(x/alpha', 0) - 1)). */
const elu = (tf: Tf, x: Device, { scale, factor, width }: { scale: number; factor: number; width: number }): Device => {
  const low = tf.mul(expMinusOne(tf, tf.div(negative(tf, x), width)), factor);
  return tf.mul(tf.add(positive(tf, x), low), scale);
};
/** log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). */
const softplus = (tf: Tf, x: Device): Device => tf.add(positive(tf, x), log(tf, tf.add(tf.exp(tf.neg(tf.abs(x))), 1)));
/** Bounded, because functions of WGSL may overflow inside where their result does not. */
const tanh = (tf: Tf, x: Device): Device => tf.tanh(bounded(tf, x, { low: -20, high: 20 }));
const sigmoidGate = (tf: Tf, x: Device, factor: number): Device => tf.mul(x, tf.sigmoid(tf.mul(x, factor)));

/** min(max(x, low), high), NaN staying NaN. */
const bounded = (tf: Tf, x: Device, { low, high }: { readonly low: number; readonly high: number }): Device => {
  const above = low === Number.NEGATIVE_INFINITY ? x : tf.maximum(x, low);
  return high === Number.POSITIVE_INFINITY ? above : tf.minimum(above, high);
};

/** x Φ(x), with the error function or its approximation by tanh (Hendrycks & Gimpel 2016, arXiv 1606.08415). */
const gelu: Compute = (tf, x, c) => {
  const share =
    textOf(c.node, 'approximate', 'none') === 'tanh'
      ? tanh(tf, tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI)))
      : tf.erf(tf.mul(x, Math.SQRT1_2));
  return tf.mul(tf.mul(x, 0.5), tf.add(share, 1));
};

const hardSwish: Compute = (tf, x) => tf.mul(x, bounded(tf, tf.add(tf.div(x, 6), 0.5), { low: 0, high: 1 }));

/** sign(x) log(|x| + √(x² + 1)): no difference of near numbers. */
const asinh: Compute = (tf, x) => {
  const size = tf.abs(x);
  return tf.mul(tf.sign(x), tf.log(tf.add(size, tf.sqrt(tf.add(tf.square(size), 1)))));
};

/** Shrinks toward zero by `bias` beyond `lambd`. */
const shrink: Compute = (tf, x, c) => {
  const [bias, limit] = [floatOf(c.node, 'bias', 0), floatOf(c.node, 'lambd', 0.5)];
  const zero = tf.zerosLike(x);
  const low = choose(tf, tf.less(x, -limit), [tf.add(x, bias), zero]);
  return keepNaN(tf, x, choose(tf, tf.greater(x, limit), [tf.sub(x, bias), low]));
};

/** Bounds as inputs from opset 11 on, as attributes before; none means no bound. */
const clip = real((tf, x, c) =>
  bounded(tf, x, {
    low: numbersAt(c, 1)?.[0] ?? floatOf(c.node, 'min', Number.NEGATIVE_INFINITY),
    high: numbersAt(c, 2)?.[0] ?? floatOf(c.node, 'max', Number.POSITIVE_INFINITY),
  }),
);

/** x to the power of one number that is known. */
const pow: GpuKernel = (c) => {
  const exponent = need(c, 1);
  if (sizeOf(exponent.shape) !== 1 || exponent.shape.length > need(c, 0).shape.length) return undefined;
  const power = numbersAt(c, 1)![0]!; // read, and one number
  return real((tf, x) => {
    if (power === 2) return tf.square(x);
    if (power === 3) return tf.mul(tf.square(x), x);
    if (power === 1) return x;
    if (power === 0.5) return tf.sqrt(x);
    if (power === -1) return tf.reciprocal(x);
    return tf.pow(x, power);
  })(c);
};

const not: GpuKernel = (c) => {
  const x = need(c, 0);
  if (x.dtype !== 'bool') return undefined;
  const layout = gpuLayout(x);
  return [made(c, c.tf.sub(1, onGpu(c.gpu, x, layout)), { layout })];
};

const isInf: GpuKernel = (c) => {
  if (intOf(c.node, 'detect_negative', 1) !== 1 || intOf(c.node, 'detect_positive', 1) !== 1) return undefined;
  return truth((tf, x) => tf.isInf(x))(c);
};

/** Functions of one array, element by element. */
export const elementwiseOps = {
  Relu: real((tf, x) => tf.relu(x)),
  Abs: real((tf, x) => tf.abs(x)),
  Neg: real((tf, x) => tf.neg(x)),
  Exp: real(exp),
  Log: real(log),
  Sqrt: real((tf, x) => tf.sqrt(x)),
  Reciprocal: real((tf, x) => tf.reciprocal(x)),
  Sigmoid: guarded((tf, x) => tf.sigmoid(x)),
  Tanh: real(tanh),
  Erf: real((tf, x) => tf.erf(x)),
  Sign: real((tf, x) => keepNaN(tf, x, tf.sign(x))),
  Floor: real((tf, x) => tf.floor(x)),
  Ceil: real((tf, x) => tf.ceil(x)),
  Round: real((tf, x) => tf.round(x)),
  Clip: reading([1, 2], clip),
  LeakyRelu: real((tf, x, c) => tf.add(positive(tf, x), tf.mul(negative(tf, x), alpha(c, 0.01)))),
  HardSigmoid: real((tf, x, c) =>
    bounded(tf, tf.add(tf.mul(x, alpha(c, 0.2)), floatOf(c.node, 'beta', 0.5)), { low: 0, high: 1 }),
  ),
  HardSwish: real(hardSwish),
  Elu: real((tf, x, c) => elu(tf, x, { scale: 1, factor: alpha(c, 1), width: 1 })),
  Selu: real((tf, x, c) =>
    elu(tf, x, {
      scale: floatOf(c.node, 'gamma', 1.0507009873554805),
      factor: alpha(c, 1.6732632423543772),
      width: 1,
    }),
  ),
  Celu: real((tf, x, c) => elu(tf, x, { scale: 1, factor: alpha(c, 1), width: alpha(c, 1) })),
  Softplus: real(softplus),
  Softsign: real((tf, x) => tf.div(x, tf.add(tf.abs(x), 1))),
  ThresholdedRelu: real((tf, x, c) => keepNaN(tf, x, choose(tf, tf.greater(x, alpha(c, 1)), [x, tf.zerosLike(x)]))),
  Gelu: real(gelu),
  'com.microsoft::Gelu': real(gelu),
  'com.microsoft::QuickGelu': real((tf, x, c) => sigmoidGate(tf, x, alpha(c, 1.702))),
  Swish: real((tf, x, c) => sigmoidGate(tf, x, alpha(c, 1))),
  Mish: real((tf, x) => tf.mul(x, tanh(tf, softplus(tf, x)))),
  Shrink: real(shrink),
  Pow: reading([1], pow),
  Not: not,
  IsNaN: truth((tf, x) => tf.isNaN(x)),
  IsInf: isInf,
  // WGSL leaves these an error of 2^-11 (sine, cosine) or 4096 units in the last place: too much to be an answer.
  Sin: 'host',
  Cos: 'host',
  Tan: 'host',
  Asin: 'host',
  Acos: 'host',
  Atan: 'host',
  Sinh: guarded((tf, x) => tf.sinh(x)),
  Cosh: guarded((tf, x) => tf.cosh(x)),
  Asinh: guarded(asinh),
  Acosh: guarded((tf, x) => tf.acosh(x)),
  Atanh: guarded((tf, x) => tf.atanh(x)),
} as const satisfies Record<string, GpuOp>;
