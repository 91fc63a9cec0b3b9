import { type DType, floatOf, isFloat, type Node, roundHalfEven, type Tensor, textOf } from '@espalier/core';
import { larger } from './bigints.js';
import { type Evaluator, fits } from './evaluator.js';
import { bigintsOf, numbersOf, resultsOf } from './numeric.js';

type Real = (x: number) => number;

interface Rule {
  /** For floats, and for integers below 64 bits where `integers` is set. */
  readonly real: (node: Node) => Real;
  readonly integers?: boolean;
  readonly big?: (x: bigint) => bigint;
  /** Where the result has another dtype. */
  readonly result?: DType;
}

// A call per element: constants that meet these ops are small, and one loop for all ops is worth more than its speed.
function unary({ real, integers = false, big, result }: Rule): Evaluator {
  return (call) => {
    const [x] = call.inputs;
    if (!x || !fits(call, result ?? x.dtype, x.shape)) return undefined;
    const { values, finish } = resultsOf(result ?? x.dtype, x.shape);
    const bigs = bigintsOf(x);
    if (bigs) {
      if (!big) return undefined;
      const out = values as unknown as bigint[]; // the room is of the same 64-bit dtype
      for (let i = 0; i < bigs.length; i++) out[i] = big(bigs[i]!);
      return [finish()];
    }
    const from = numbersOf(x);
    if (!from || (!isFloat(x.dtype) && !integers)) return undefined;
    const apply = real(call.node);
    for (let i = 0; i < from.length; i++) values[i] = apply(from[i]!);
    return [finish()];
  };
}

const plain = (real: Real): Evaluator => unary({ real: () => real });

/** erf(x) = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (1·3···(2n+1)) (Abramowitz and Stegun 1964, 7.1.6); all terms share a sign. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid: Real = (x) => 1 / (1 + Math.exp(-x));
const softplus: Real = (x) => (x > 30 ? x + Math.exp(-x) : Math.log1p(Math.exp(x)));

function gelu(node: Node): Real {
  if (textOf(node, 'approximate', 'none') === 'tanh') {
    return (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  }
  return (x) => 0.5 * x * (1 + erf(x / Math.SQRT2));
}

const clamp01: Real = (x) => Math.max(0, Math.min(1, x));

/** Elementwise functions of one tensor; formulas are those of the ONNX operator pages. */
export const unaryEvaluators = {
  Neg: unary({ real: () => (x) => -x, integers: true, big: (x) => -x }),
  Abs: unary({ real: () => Math.abs, integers: true, big: (x) => (x < 0n ? -x : x) }),
  Sign: unary({ real: () => Math.sign, integers: true, big: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n) }),
  Relu: unary({ real: () => (x) => Math.max(x, 0), integers: true, big: (x) => larger(x, 0n) }),
  Not: unary({ real: () => (x) => (x === 0 ? 1 : 0), integers: true }),
  BitwiseNot: unary({ real: () => (x) => ~x, integers: true, big: (x) => ~x }),
  IsNaN: unary({ real: () => (x) => (Number.isNaN(x) ? 1 : 0), result: 'bool' }),
  IsInf: unary({ real: isInfinite, result: 'bool' }),
  Sqrt: plain(Math.sqrt),
  Exp: plain(Math.exp),
  Log: plain(Math.log),
  Floor: plain(Math.floor),
  Ceil: plain(Math.ceil),
  Round: plain(roundHalfEven),
  Reciprocal: plain((x) => 1 / x),
  Erf: plain(erf),
  Sigmoid: plain(sigmoid),
  Tanh: plain(Math.tanh),
  Sin: plain(Math.sin),
  Cos: plain(Math.cos),
  Tan: plain(Math.tan),
  Asin: plain(Math.asin),
  Acos: plain(Math.acos),
  Atan: plain(Math.atan),
  Sinh: plain(Math.sinh),
  Cosh: plain(Math.cosh),
  Asinh: plain(Math.asinh),
  Acosh: plain(Math.acosh),
  Atanh: plain(Math.atanh),
  Softplus: plain(softplus),
  Softsign: plain((x) => x / (1 + Math.abs(x))),
  HardSwish: plain((x) => x * clamp01(x / 6 + 0.5)),
  Mish: plain((x) => x * Math.tanh(softplus(x))),
  Gelu: unary({ real: gelu }),
  LeakyRelu: unary({ real: (node) => scaledBelowZero(floatOf(node, 'alpha', 0.01)) }),
  Elu: unary({ real: (node) => exponentialBelowZero(floatOf(node, 'alpha', 1)) }),
  Celu: unary({ real: (node) => celu(floatOf(node, 'alpha', 1)) }),
  Selu: unary({ real: selu }),
  ThresholdedRelu: unary({ real: (node) => above(floatOf(node, 'alpha', 1)) }),
  HardSigmoid: unary({ real: hardSigmoid }),
} satisfies Record<string, Evaluator>;

function isInfinite(node: Node): Real {
  const low = node.attributes.get('detect_negative');
  const high = node.attributes.get('detect_positive');
  const negative = low?.kind === 'int' ? low.value !== 0 : true;
  const positive = high?.kind === 'int' ? high.value !== 0 : true;
  return (x) => ((x === Number.POSITIVE_INFINITY && positive) || (x === Number.NEGATIVE_INFINITY && negative) ? 1 : 0);
}

function scaledBelowZero(alpha: number): Real {
  return (x) => (x < 0 ? alpha * x : x);
}

function exponentialBelowZero(alpha: number): Real {
  return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
}

function celu(alpha: number): Real {
  return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
}

function selu(node: Node): Real {
  const alpha = floatOf(node, 'alpha', 1.6732631921768188);
  const gamma = floatOf(node, 'gamma', 1.0507010221481323);
  return (x) => (x > 0 ? gamma * x : gamma * alpha * Math.expm1(x));
}

function above(alpha: number): Real {
  return (x) => (x > alpha ? x : 0);
}

function hardSigmoid(node: Node): Real {
  const alpha = floatOf(node, 'alpha', 0.2);
  const beta = floatOf(node, 'beta', 0.5);
  return (x) => clamp01(alpha * x + beta);
}

/** Clip: bounds are attributes before opset 11, inputs from then on; min wins nothing over max (max is applied last). */
export const clip: Evaluator = (call) => {
  const [x, low, high] = call.inputs;
  if (!x || !fits(call, x.dtype, x.shape)) return undefined;
  const bigs = bigintsOf(x);
  if (bigs) return [clipBig(x, bigs, low, high)];
  const from = numbersOf(x);
  if (!from) return undefined;
  const bound = (given: Tensor | undefined, name: string, none: number) =>
    given ? (numbersOf(given)?.[0] ?? none) : floatOf(call.node, name, none);
  const min = bound(low, 'min', Number.NEGATIVE_INFINITY);
  const max = bound(high, 'max', Number.POSITIVE_INFINITY);
  const { values, finish } = resultsOf(x.dtype, x.shape);
  for (let i = 0; i < from.length; i++) values[i] = Math.min(Math.max(from[i]!, min), max);
  return [finish()];
};

function clipBig(
  x: Tensor,
  from: BigInt64Array | BigUint64Array,
  low: Tensor | undefined,
  high: Tensor | undefined,
): Tensor {
  const min = low && bigintsOf(low)?.[0];
  const max = high && bigintsOf(high)?.[0];
  const { values, finish } = resultsOf(x.dtype, x.shape);
  const out = values as unknown as bigint[]; // the room is of the same 64-bit dtype
  for (let i = 0; i < from.length; i++) {
    let value = from[i]!;
    if (min !== undefined && value < min) value = min;
    if (max !== undefined && value > max) value = max;
    out[i] = value;
  }
  return finish();
}
