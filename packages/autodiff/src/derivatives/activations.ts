import { floatOf, int, textOf } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';

type Local = (c: DerivativeContext, x: string, y: string) => string;

/** dx = dy · f'(x), with f' emitted from the input and the output. */
const times =
  (local: Local): Derivative =>
  (c) => [c.emit('Mul', [c.gradient(0), local(c, c.input(0), c.output(0))])];

const one = (c: DerivativeContext) => c.scalar(1);
const float = (c: DerivativeContext, condition: string) => c.emit('Cast', [condition], { to: int(1) });
const between = (c: DerivativeContext, x: string, [low, high]: readonly [string, string]) =>
  c.emit('Mul', [float(c, c.emit('Greater', [x, low])), float(c, c.emit('Less', [x, high]))]);
const square = (c: DerivativeContext, x: string) => c.emit('Mul', [x, x]);
const inverseRoot = (c: DerivativeContext, x: string) => c.emit('Reciprocal', [c.emit('Sqrt', [x])]);
const where = (c: DerivativeContext, x: string, { above, below }: { readonly above: string; readonly below: string }) =>
  c.emit('Where', [c.emit('Greater', [x, c.scalar(0)]), above, below]);

// Φ'(x) of the normal distribution, for Gelu and Erf: exp(-x²/2)/√(2π).
const density = (c: DerivativeContext, x: string) =>
  c.emit('Mul', [
    c.emit('Exp', [c.emit('Mul', [c.emit('Mul', [x, x]), c.scalar(-0.5)])]),
    c.scalar(1 / Math.sqrt(2 * Math.PI)),
  ]);

/** Ops that act on each element alone. */
export const activations = {
  Identity: (c) => [c.gradient(0)],
  Neg: (c) => [c.emit('Neg', [c.gradient(0)])],
  Abs: times((c, x) => c.emit('Sign', [x])),
  Exp: times((_, __, y) => y),
  Log: (c) => [c.emit('Div', [c.gradient(0), c.input(0)])],
  Sqrt: (c) => [c.emit('Div', [c.emit('Mul', [c.gradient(0), c.scalar(0.5)]), c.output(0)])],
  Reciprocal: times((c, _, y) => c.emit('Neg', [c.emit('Mul', [y, y])])),
  Sin: times((c, x) => c.emit('Cos', [x])),
  Cos: times((c, x) => c.emit('Neg', [c.emit('Sin', [x])])),
  Tanh: times((c, _, y) => c.emit('Sub', [one(c), c.emit('Mul', [y, y])])),
  Sigmoid: times((c, _, y) => c.emit('Mul', [y, c.emit('Sub', [one(c), y])])),
  // y is 0 or more, so its sign is 1 exactly where the unit is on; cheaper than a comparison and a cast.
  Relu: times((c, _, y) => c.emit('Sign', [y])),
  Erf: times((c, x) =>
    c.emit('Mul', [c.emit('Exp', [c.emit('Neg', [c.emit('Mul', [x, x])])]), c.scalar(2 / Math.sqrt(Math.PI))]),
  ),
  Softplus: times((c, x) => c.emit('Sigmoid', [x])),
  Softsign: times((c, x) => {
    const bottom = c.emit('Add', [one(c), c.emit('Abs', [x])]);
    return c.emit('Reciprocal', [c.emit('Mul', [bottom, bottom])]);
  }),
  LeakyRelu: times((c, x) => {
    const on = float(c, c.emit('Greater', [x, c.scalar(0)]));
    const alpha = floatOf(c.node, 'alpha', 0.01);
    return c.emit('Add', [c.emit('Mul', [on, c.scalar(1 - alpha)]), c.scalar(alpha)]);
  }),
  Elu: times((c, x, y) =>
    where(c, x, { above: one(c), below: c.emit('Add', [y, c.scalar(floatOf(c.node, 'alpha', 1))]) }),
  ),
  HardSigmoid: times((c, _, y) =>
    c.emit('Mul', [between(c, y, [c.scalar(0), c.scalar(1)]), c.scalar(floatOf(c.node, 'alpha', 0.2))]),
  ),
  // x · clip(x/6 + 1/2, 0, 1)
  HardSwish: times((c, x) => {
    const inside = between(c, x, [c.scalar(-3), c.scalar(3)]);
    const above = float(c, c.emit('GreaterOrEqual', [x, c.scalar(3)]));
    const slope = c.emit('Add', [c.emit('Mul', [x, c.scalar(1 / 3)]), c.scalar(0.5)]);
    return c.emit('Add', [c.emit('Mul', [inside, slope]), above]);
  }),
  Gelu: times((c, x) => {
    if (textOf(c.node, 'approximate', 'none') === 'tanh') return geluTanh(c, x);
    const cdf = c.emit('Mul', [
      c.emit('Add', [c.emit('Erf', [c.emit('Mul', [x, c.scalar(Math.SQRT1_2)])]), one(c)]),
      c.scalar(0.5),
    ]);
    return c.emit('Add', [cdf, c.emit('Mul', [x, density(c, x)])]);
  }),
  Clip: (c) => {
    const dy = c.gradient(0)!;
    const [, low, high] = c.node.inputs;
    let inside = dy;
    if (low !== undefined) inside = c.emit('Mul', [inside, float(c, c.emit('Greater', [c.input(0), low]))]);
    if (high !== undefined) inside = c.emit('Mul', [inside, float(c, c.emit('Less', [c.input(0), high]))]);
    return [inside];
  },
  // The inference form, in which nothing is dropped.
  Dropout: (c) => {
    const training = c.node.inputs[2];
    if (training !== undefined && c.numbers(training)?.[0] !== 0) {
      throw unsupportedForm(c.node, 'the inference form', 'a training mode');
    }
    return [c.gradient(0)];
  },
  Cast: (c) => (c.isFloat(c.input(0)) ? [c.gradient(0)] : []),
  Tan: times((c, _, y) => c.emit('Add', [one(c), square(c, y)])),
  Sinh: times((c, x) => c.emit('Cosh', [x])),
  Cosh: times((c, x) => c.emit('Sinh', [x])),
  Asin: times((c, x) => inverseRoot(c, c.emit('Sub', [one(c), square(c, x)]))),
  Acos: times((c, x) => c.emit('Neg', [inverseRoot(c, c.emit('Sub', [one(c), square(c, x)]))])),
  Atan: times((c, x) => c.emit('Reciprocal', [c.emit('Add', [one(c), square(c, x)])])),
  Asinh: times((c, x) => inverseRoot(c, c.emit('Add', [square(c, x), one(c)]))),
  Acosh: times((c, x) => inverseRoot(c, c.emit('Sub', [square(c, x), one(c)]))),
  Atanh: times((c, x) => c.emit('Reciprocal', [c.emit('Sub', [one(c), square(c, x)])])),
  ThresholdedRelu: times((c, x) => float(c, c.emit('Greater', [x, c.scalar(floatOf(c.node, 'alpha', 1))]))),
  // γ where x > 0, y + γα elsewhere
  Selu: times((c, x, y) => {
    const gamma = floatOf(c.node, 'gamma', 1.0507009873554805);
    const offset = gamma * floatOf(c.node, 'alpha', 1.6732632423543772);
    return where(c, x, { above: c.scalar(gamma), below: c.emit('Add', [y, c.scalar(offset)]) });
  }),
  // max(0, x) + min(0, α (exp(x/α) - 1))
  Celu: times((c, x, y) => {
    const alpha = floatOf(c.node, 'alpha', 1);
    const below = c.emit('Add', [c.emit('Mul', [y, c.scalar(1 / alpha)]), one(c)]);
    return where(c, x, { above: one(c), below });
  }),
  // x tanh(softplus x): t + x (1 - t²) σ(x)
  Mish: times((c, x) => {
    const t = c.emit('Tanh', [c.emit('Softplus', [x])]);
    const slope = c.emit('Mul', [c.emit('Sub', [one(c), square(c, t)]), c.emit('Sigmoid', [x])]);
    return c.emit('Add', [t, c.emit('Mul', [x, slope])]);
  }),
} satisfies Readonly<Record<string, Derivative>>;

// y = x/2 (1 + tanh u), u = k(x + 0.044715 x³), k = √(2/π)
function geluTanh(c: DerivativeContext, x: string): string {
  const k = Math.sqrt(2 / Math.PI);
  const square = c.emit('Mul', [x, x]);
  const cubic = c.emit('Mul', [x, c.emit('Add', [c.scalar(1), c.emit('Mul', [square, c.scalar(0.044715)])])]);
  const t = c.emit('Tanh', [c.emit('Mul', [cubic, c.scalar(k)])]);
  const du = c.emit('Mul', [
    c.emit('Add', [c.scalar(1), c.emit('Mul', [square, c.scalar(3 * 0.044715)])]),
    c.scalar(k),
  ]);
  const sech2 = c.emit('Sub', [c.scalar(1), c.emit('Mul', [t, t])]);
  const left = c.emit('Mul', [c.emit('Add', [c.scalar(1), t]), c.scalar(0.5)]);
  return c.emit('Add', [left, c.emit('Mul', [c.emit('Mul', [c.emit('Mul', [x, c.scalar(0.5)]), sech2]), du])]);
}
