import { type DType, intOf, isFloat, isInteger, sizeOf, type Tensor, textOf } from '@espalier/core';
import { larger, smaller } from './bigints.js';
import { broadcastShape, broadcastTo } from './broadcast.js';
import { type Call, type Evaluator, fits } from './evaluator.js';
import { bigintsOf, numbersOf, resultsOf } from './numeric.js';

type On<T, R> = (a: T, b: T) => R;

interface Rule {
  /** On floats. Results are rounded to the dtype once, which for + - * / and sqrt equals computing in it (Figueroa 1995). */
  readonly real?: On<number, number>;
  /** On integers below 64 bits; wraps when stored. NaN means "not defined" and leaves the node. */
  readonly whole?: On<number, number>;
  readonly big?: On<bigint, bigint | number>;
  readonly text?: On<string, number>;
  readonly result?: DType;
}

/** Computes `a op b` with broadcasting; undefined where the rule has no form for the dtype. */
function apply(call: Call, pair: readonly [Tensor, Tensor], rule: Rule): Tensor | undefined {
  const [a, b] = pair;
  if (a.dtype !== b.dtype) return undefined;
  const shape = broadcastShape(a.shape, b.shape);
  const dtype = rule.result ?? a.dtype;
  if (!shape || !fits(call, dtype, shape)) return undefined;
  // A single element is read again and again instead of being repeated.
  const spread = (t: Tensor) => (sizeOf(t.shape) === 1 ? t : broadcastTo(t, shape));
  const { values, finish } = resultsOf(dtype, shape);
  const form = operands(rule, spread(a), spread(b));
  if (!form) return undefined;
  const { x, y, compute } = form;
  const stepX = x.length === 1 ? 0 : 1;
  const stepY = y.length === 1 ? 0 : 1;
  const count = sizeOf(shape);
  for (let i = 0; i < count; i++) {
    const value = compute(x[i * stepX] as never, y[i * stepY] as never); // x, y and compute are of one family
    if (form.whole && Number.isNaN(value)) return undefined;
    values[i] = value as number; // bigints go to 64-bit room only: rule.result or the operands' own dtype
  }
  return finish();
}

function operands({ real, whole, big, text }: Rule, a: Tensor, b: Tensor) {
  const found = (x: ArrayLike<unknown> | undefined, y: ArrayLike<unknown> | undefined, compute: unknown) =>
    x && y && compute
      ? { x, y, compute: compute as On<never, unknown>, whole: compute === whole } // called with x's and y's elements only
      : undefined;
  if (isFloat(a.dtype)) return found(numbersOf(a), numbersOf(b), real);
  if (a.dtype === 'string') return found(a.data, (b as Tensor<'string'>).data, text); // dtypes are equal
  return bigintsOf(a) ? found(bigintsOf(a), bigintsOf(b), big) : found(numbersOf(a), numbersOf(b), whole);
}

/** Division and the like throw a RangeError for 0n; such a node is left for the runtime to judge. */
function guarded<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const binary =
  (rule: Rule): Evaluator =>
  (call) => {
    const [a, b] = call.inputs;
    if (!a || !b) return undefined;
    const result = guarded(() => apply(call, [a, b], rule));
    return result && [result];
  };

/** Ops of any number of inputs, combined two at a time. */
const variadic =
  (rule: Rule): Evaluator =>
  (call) => {
    const result = combined(call, rule);
    return result && [result];
  };

function combined(call: Call, rule: Rule): Tensor | undefined {
  let result = call.inputs[0];
  for (const next of call.inputs.slice(1)) {
    result = result && next && apply(call, [result, next], rule);
    if (!result) return undefined;
  }
  return result;
}

const truncated = (a: number, b: number) => (b === 0 ? Number.NaN : Math.trunc(a / b));
const product = (a: number, b: number) => Math.imul(a, b); // wraps right for every width up to 32 bits
const floorMod = (a: number, b: number) => (b === 0 ? Number.NaN : a - Math.floor(a / b) * b);
const floorModBig = (a: bigint, b: bigint) => {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
};

const add: Rule = { real: (a, b) => a + b, whole: (a, b) => a + b, big: (a, b) => a + b };
const min: Rule = { real: Math.min, whole: Math.min, big: smaller };
const max: Rule = { real: Math.max, whole: Math.max, big: larger };

const compare = (test: (order: number) => boolean): Rule => {
  const numbers: On<number, number> = (a, b) => (a === b ? +test(0) : a < b ? +test(-1) : a > b ? +test(1) : 0);
  const others = (a: bigint | string, b: bigint | string) => +test(a === b ? 0 : a < b ? -1 : 1);
  return { real: numbers, whole: numbers, big: others, text: others, result: 'bool' };
};

const logic = (whole: On<number, number>): Evaluator =>
  binary({ whole: (a, b) => (whole(+(a !== 0), +(b !== 0)) === 0 ? 0 : 1) });

/** Pow: the base decides the dtype; whole results beyond 2^53 are left alone. */
const pow: Evaluator = (call) => {
  const [base, exponent] = call.inputs;
  const shape = base && exponent && broadcastShape(base.shape, exponent.shape);
  if (!shape || !fits(call, base.dtype, shape)) return undefined;
  const x = plainNumbers(broadcastTo(base, shape));
  const y = plainNumbers(broadcastTo(exponent, shape));
  if (!x || !y) return undefined;
  const { values, finish } = resultsOf(base.dtype, shape);
  const float = isFloat(base.dtype);
  for (let i = 0; i < x.length; i++) {
    const power = x[i]! ** y[i]!;
    if (!float && !Number.isSafeInteger(Math.trunc(power))) return undefined;
    values[i] = bigintsOf(base) ? (BigInt(Math.trunc(power)) as unknown as number) : float ? power : Math.trunc(power); // 64-bit room takes bigints
  }
  return [finish()];
};

function plainNumbers(source: Tensor): ArrayLike<number> | undefined {
  const bigs = bigintsOf(source);
  return bigs ? Array.from(bigs as ArrayLike<bigint>, Number) : numbersOf(source);
}

/** Mod: the sign of the divisor (Python), or with `fmod` that of the dividend (C); floats need `fmod`. */
const mod: Evaluator = (call) => {
  const [a] = call.inputs;
  const fmod = intOf(call.node, 'fmod', 0) === 1;
  if (a && isFloat(a.dtype) && !fmod) return undefined;
  const truncatedMod = (x: number, y: number) => x % y;
  const rule: Rule = fmod
    ? { real: truncatedMod, whole: truncatedMod, big: (x, y) => x % y }
    : { whole: floorMod, big: floorModBig };
  return binary(rule)(call);
};

const mean: Evaluator = (call) => {
  const sum = combined(call, { real: (a, b) => a + b });
  const numbers = sum && isFloat(sum.dtype) && numbersOf(sum);
  if (!numbers) return undefined;
  const { values, finish } = resultsOf(sum.dtype, sum.shape);
  for (let i = 0; i < numbers.length; i++) values[i] = numbers[i]! / call.inputs.length;
  return [finish()];
};

/**
 * Shifts. Bits shifted out on the left are lost, and a right shift repeats the sign. A shift by the width or more, or
 * by a negative number, shifts all bits out (BitShift-28).
 */
const bitShift: Evaluator = (call) => {
  const left = textOf(call.node, 'direction', '') === 'LEFT';
  const [a] = call.inputs;
  if (!a || !isInteger(a.dtype)) return undefined;
  const rule: Rule = left
    ? { whole: (x, by) => (within(by) ? x * 2 ** by : 0), big: (x, by) => (withinBig(by) ? x << by : 0n) }
    : {
        whole: (x, by) => Math.floor(x / 2 ** (within(by) ? by : 32)),
        big: (x, by) => x >> (withinBig(by) ? by : 64n),
      };
  return binary(rule)(call);
};

const within = (by: number): boolean => by >= 0 && by < 32;
const withinBig = (by: bigint): boolean => by >= 0n && by < 64n;

/** PRelu: the slope broadcasts to x only, one way. */
const prelu: Evaluator = (call) => {
  const [x, slope] = call.inputs;
  const shape = x && slope && broadcastShape(x.shape, slope.shape);
  if (!shape || shape.length !== x.shape.length || shape.some((dim, i) => dim !== x.shape[i])) return undefined;
  return binary({ real: (a, b) => (a < 0 ? a * b : a) })(call);
};

/** Elementwise functions of two or more tensors with broadcasting. */
export const binaryEvaluators = {
  Add: binary(add),
  Sub: binary({ real: (a, b) => a - b, whole: (a, b) => a - b, big: (a, b) => a - b }),
  Mul: binary({ real: (a, b) => a * b, whole: product, big: (a, b) => a * b }),
  Div: binary({ real: (a, b) => a / b, whole: truncated, big: (a, b) => a / b }),
  Mod: mod,
  Pow: pow,
  PRelu: prelu,
  Sum: variadic(add),
  Min: variadic(min),
  Max: variadic(max),
  Mean: mean,
  Equal: binary(compare((order) => order === 0)),
  Less: binary(compare((order) => order < 0)),
  LessOrEqual: binary(compare((order) => order <= 0)),
  Greater: binary(compare((order) => order > 0)),
  GreaterOrEqual: binary(compare((order) => order >= 0)),
  And: logic((a, b) => a & b),
  Or: logic((a, b) => a | b),
  Xor: logic((a, b) => a ^ b),
  BitwiseAnd: binary({ whole: (a, b) => a & b, big: (a, b) => a & b }),
  BitwiseOr: binary({ whole: (a, b) => a | b, big: (a, b) => a | b }),
  BitwiseXor: binary({ whole: (a, b) => a ^ b, big: (a, b) => a ^ b }),
  BitShift: bitShift,
} satisfies Record<string, Evaluator>;

/** Where: picks by condition, all three broadcast together. */
export const where: Evaluator = (call) => {
  const [condition, x, y] = call.inputs;
  if (!condition || !x || !y || x.dtype !== y.dtype) return undefined;
  const values = broadcastShape(x.shape, y.shape);
  const shape = values && broadcastShape(condition.shape, values);
  if (!shape || !fits(call, x.dtype, shape)) return undefined;
  return [pick(broadcastTo(condition, shape), broadcastTo(x, shape), broadcastTo(y, shape))];
};

function pick(condition: Tensor, x: Tensor, y: Tensor): Tensor {
  const { values, finish } = resultsOf(x.dtype, x.shape);
  // Elements are moved, never looked at; small floats pass through float32 without loss.
  const from = (t: Tensor) => (numbersOf(t) ?? t.data) as ArrayLike<number>;
  const test = from(condition);
  const yes = from(x);
  const no = from(y);
  for (let i = 0; i < yes.length; i++) values[i] = test[i] ? yes[i]! : no[i]!;
  return finish();
}
