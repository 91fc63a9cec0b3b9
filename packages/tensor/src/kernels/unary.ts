import { type DType, floatOf, intOf, sizeOf, textOf, toNumbers } from '@espalier/core';
import type { Call, Kernel } from '../kernel.js';
import { blockFor, isReal, need, numbersAt, refuse } from '../operands.js';
import { blockOf, deviceValue, hostOf, layoutOf, type Value } from '../value.js';

/** Numbers of the operations in assembly/unary.ts. */
export const unaryCodes = {
  Relu: 0,
  Abs: 1,
  Neg: 2,
  Exp: 3,
  Log: 4,
  Sqrt: 5,
  Reciprocal: 6,
  Sigmoid: 7,
  Tanh: 8,
  Erf: 9,
  Sign: 10,
  Floor: 11,
  Ceil: 12,
  Round: 13,
  Clip: 14,
  LeakyRelu: 15,
  HardSigmoid: 16,
  HardSwish: 17,
  Elu: 18,
  Softplus: 19,
  Softsign: 20,
  ThresholdedRelu: 21,
  Gelu: 22,
  GeluTanh: 23,
  Swish: 24,
  Mish: 25,
  Celu: 26,
  IsNaN: 27,
  Linear: 28,
  IsInf: 29,
  IntegerToFloat: 30,
  FloatToInteger: 31,
  FloatToTruth: 32,
  IntegerToTruth: 33,
  Not: 34,
  Square: 35,
} as const;

type UnaryName = keyof typeof unaryCodes;

/** Applies an operation to every element, in the layout that is there, in place where the input dies. */
export function applyUnary(
  c: Call,
  name: UnaryName,
  { p = 0, q = 0, dtype = need(c, 0).dtype }: { p?: number; q?: number; dtype?: DType } = {},
): readonly Value[] {
  const x = need(c, 0);
  const layout = layoutOf(x);
  const out = blockFor(c, 0, layout);
  c.heap.kernels.unary(unaryCodes[name], blockOf(c.heap, x, layout).pointer, out.pointer, sizeOf(x.shape), p, q);
  return [deviceValue(dtype, x.shape, out, layout)];
}

/** An operation on floats with two parameters read from attributes. */
const real =
  (name: UnaryName, parameters: (c: Call) => { p?: number; q?: number } = () => ({})): Kernel =>
  (c) =>
    isReal(need(c, 0)) ? applyUnary(c, name, parameters(c)) : undefined;

const alpha = (fallback: number) => (c: Call) => ({ p: floatOf(c.node, 'alpha', fallback) });

/** Bounds as inputs from opset 11 on, as attributes before; none means no bound. */
const clip: Kernel = (c) => {
  if (!isReal(need(c, 0))) return undefined;
  const p = numbersAt(c, 1)?.[0] ?? floatOf(c.node, 'min', Number.NEGATIVE_INFINITY);
  const q = numbersAt(c, 2)?.[0] ?? floatOf(c.node, 'max', Number.POSITIVE_INFINITY);
  return applyUnary(c, 'Clip', { p, q });
};

const gelu: Kernel = (c) => {
  if (!isReal(need(c, 0))) return undefined;
  const tanh = textOf(c.node, 'approximate', 'none') === 'tanh';
  return applyUnary(c, tanh ? 'GeluTanh' : 'Gelu');
};

const isInf: Kernel = (c) => {
  if (intOf(c.node, 'detect_negative', 1) !== 1 || intOf(c.node, 'detect_positive', 1) !== 1) return undefined;
  return isReal(need(c, 0)) ? applyUnary(c, 'IsInf', { dtype: 'bool' }) : undefined;
};

/** A function that no vector routine computes: in float64, one element after the other. */
const scalarwise =
  (compute: (x: number) => number): Kernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const layout = layoutOf(x);
    const out = blockFor(c, 0, layout);
    const [from, to] = [c.heap.floats(blockOf(c.heap, x, layout)), c.heap.floats(out)];
    for (let i = 0; i < to.length; i++) to[i] = compute(from[i]!);
    return [deviceValue(x.dtype, x.shape, out, layout)];
  };

/** Shrinks toward zero by `bias` beyond `lambd`. */
const shrink: Kernel = (c) => {
  const [bias, limit] = [floatOf(c.node, 'bias', 0), floatOf(c.node, 'lambd', 0.5)];
  return scalarwise((x) => (x < -limit ? x + bias : x > limit ? x - bias : Number.isNaN(x) ? x : 0))(c);
};

/** x to the power of one number; powers that have a routine use it. */
const pow: Kernel = (c) => {
  const exponent = c.inputs[1];
  if (!isReal(need(c, 0)) || !exponent || sizeOf(exponent.shape) !== 1) return undefined;
  if (exponent.shape.length > need(c, 0).shape.length) return undefined;
  const power = toNumbers(hostOf(c.heap, exponent))[0]!; // one element, as checked
  if (power === 2) return applyUnary(c, 'Square');
  if (power === 1) return applyUnary(c, 'Linear', { p: 1 });
  if (power === 0.5) return applyUnary(c, 'Sqrt');
  if (power === -1) return applyUnary(c, 'Reciprocal');
  return scalarwise((x) => x ** power)(c);
};

const not: Kernel = (c) => (isReal(need(c, 0)) ? refuse(c, 'floats') : applyUnary(c, 'Not'));

/** Functions of one array, element by element. */
export const unaryKernels = {
  Relu: real('Relu'),
  Abs: real('Abs'),
  Neg: real('Neg'),
  Exp: real('Exp'),
  Log: real('Log'),
  Sqrt: real('Sqrt'),
  Reciprocal: real('Reciprocal'),
  Sigmoid: real('Sigmoid'),
  Tanh: real('Tanh'),
  Erf: real('Erf'),
  Sign: real('Sign'),
  Floor: real('Floor'),
  Ceil: real('Ceil'),
  Round: real('Round'),
  Clip: clip,
  LeakyRelu: real('LeakyRelu', alpha(0.01)),
  HardSigmoid: real('HardSigmoid', (c) => ({ p: floatOf(c.node, 'alpha', 0.2), q: floatOf(c.node, 'beta', 0.5) })),
  HardSwish: real('HardSwish'),
  Elu: real('Elu', (c) => ({ p: floatOf(c.node, 'alpha', 1), q: 1 })),
  Selu: real('Elu', (c) => ({
    p: floatOf(c.node, 'alpha', 1.6732632423543772),
    q: floatOf(c.node, 'gamma', 1.0507009873554805),
  })),
  Celu: real('Celu', alpha(1)),
  Softplus: real('Softplus'),
  Softsign: real('Softsign'),
  ThresholdedRelu: real('ThresholdedRelu', alpha(1)),
  Gelu: gelu,
  'com.microsoft::Gelu': real('Gelu'),
  'com.microsoft::QuickGelu': real('Swish', alpha(1.702)),
  Swish: real('Swish', alpha(1)),
  Mish: real('Mish'),
  Shrink: shrink,
  Pow: pow,
  Not: not,
  IsNaN: (c) => (isReal(need(c, 0)) ? applyUnary(c, 'IsNaN', { dtype: 'bool' }) : undefined),
  IsInf: isInf,
  Sin: scalarwise(Math.sin),
  Cos: scalarwise(Math.cos),
  Tan: scalarwise(Math.tan),
  Asin: scalarwise(Math.asin),
  Acos: scalarwise(Math.acos),
  Atan: scalarwise(Math.atan),
  Sinh: scalarwise(Math.sinh),
  Cosh: scalarwise(Math.cosh),
  Asinh: scalarwise(Math.asinh),
  Acosh: scalarwise(Math.acosh),
  Atanh: scalarwise(Math.atanh),
} as const satisfies Record<string, Kernel>;
