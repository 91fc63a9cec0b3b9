import { floatOf, int, textOf } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';

type Local = (c: DerivativeContext, x: string, y: string) => string;

/** dx = dy · f'(x), with f' emitted from the input and the output. */
const times =
  (local: Local): Derivative =>
  (c) => [c.emit('Mul', [c.gradient(0), local(c, c.input(0), c.output(0))])];

const one = (c: DerivativeContext) => c.scalar(1);
const float = (c: DerivativeContext, condition: string) => c.emit('Cast', [condition], { to: int(1) });
const between = (c: DerivativeContext, x: string, [low, high]: readonly [string, string]) =>
  c.emit('Mul', [float(c, c.emit('Greater', [x, low])), float(c, c.emit('Less', [x, high]))]);

const binary =
  (
    left: (c: DerivativeContext, dy: string) => string,
    right: (c: DerivativeContext, dy: string) => string,
  ): Derivative =>
  (c) => {
    const dy = c.gradient(0)!; // rules run only when the one output has a gradient
    return [
      c.wants(0) ? c.unbroadcast(left(c, dy), c.input(0)) : undefined,
      c.wants(1) ? c.unbroadcast(right(c, dy), c.input(1)) : undefined,
    ];
  };

/** Of equal values the first input gets the gradient. */
const extremum =
  (first: 'GreaterOrEqual' | 'LessOrEqual'): Derivative =>
  (c) => {
    const dy = c.gradient(0)!;
    if (c.node.inputs.length === 1) return [dy];
    const taken = float(c, c.emit(first, [c.input(0), c.input(1)]));
    return [
      c.wants(0) ? c.unbroadcast(c.emit('Mul', [dy, taken]), c.input(0)) : undefined,
      c.wants(1) ? c.unbroadcast(c.emit('Mul', [dy, c.emit('Sub', [one(c), taken])]), c.input(1)) : undefined,
    ];
  };

const shared: Derivative = (c) =>
  c.node.inputs.map((value, slot) =>
    value !== undefined && c.wants(slot) ? c.unbroadcast(c.gradient(0)!, value) : undefined,
  );

// Φ'(x) of the normal distribution, for Gelu and Erf: exp(-x²/2)/√(2π).
const density = (c: DerivativeContext, x: string) =>
  c.emit('Mul', [
    c.emit('Exp', [c.emit('Mul', [c.emit('Mul', [x, x]), c.scalar(-0.5)])]),
    c.scalar(1 / Math.sqrt(2 * Math.PI)),
  ]);

/** Ops that act on each element alone, and binary ops with broadcasting. */
export const elementwise = {
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
  Elu: times((c, x, y) => {
    const on = float(c, c.emit('Greater', [x, c.scalar(0)]));
    const below = c.emit('Add', [y, c.scalar(floatOf(c.node, 'alpha', 1))]);
    return c.emit('Where', [c.emit('Greater', [x, c.scalar(0)]), on, below]);
  }),
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
  Add: shared,
  Sum: shared,
  Mean: (c) => {
    const part = c.emit('Mul', [c.gradient(0), c.scalar(1 / c.node.inputs.length)]);
    return c.node.inputs.map((value, slot) =>
      value !== undefined && c.wants(slot) ? c.unbroadcast(part, value) : undefined,
    );
  },
  Sub: binary(
    (_, dy) => dy,
    (c, dy) => c.emit('Neg', [dy]),
  ),
  Mul: binary(
    (c, dy) => c.emit('Mul', [dy, c.input(1)]),
    (c, dy) => c.emit('Mul', [dy, c.input(0)]),
  ),
  Div: binary(
    (c, dy) => c.emit('Div', [dy, c.input(1)]),
    (c, dy) => c.emit('Neg', [c.emit('Div', [c.emit('Mul', [dy, c.output(0)]), c.input(1)])]),
  ),
  // d/da aᵇ = b·aᵇ⁻¹, d/db aᵇ = aᵇ·ln a (a positive)
  Pow: binary(
    (c, dy) =>
      c.emit('Mul', [
        dy,
        c.emit('Mul', [c.input(1), c.emit('Pow', [c.input(0), c.emit('Sub', [c.input(1), one(c)])])]),
      ]),
    (c, dy) => c.emit('Mul', [dy, c.emit('Mul', [c.output(0), c.emit('Log', [c.input(0)])])]),
  ),
  Max: extremum('GreaterOrEqual'),
  Min: extremum('LessOrEqual'),
  PRelu: (c) => {
    const dy = c.gradient(0)!;
    const x = c.input(0);
    const on = float(c, c.emit('Greater', [x, c.scalar(0)]));
    const off = c.emit('Sub', [one(c), on]);
    return [
      c.wants(0) ? c.emit('Mul', [dy, c.emit('Add', [on, c.emit('Mul', [off, c.input(1)])])]) : undefined,
      c.wants(1) ? c.unbroadcast(c.emit('Mul', [dy, c.emit('Mul', [off, x])]), c.input(1)) : undefined,
    ];
  },
  Where: (c) => {
    const dy = c.gradient(0)!;
    const zero = c.scalar(0);
    return [
      undefined,
      c.wants(1) ? c.unbroadcast(c.emit('Where', [c.input(0), dy, zero]), c.input(1)) : undefined,
      c.wants(2) ? c.unbroadcast(c.emit('Where', [c.input(0), zero, dy]), c.input(2)) : undefined,
    ];
  },
  Cast: (c) => [c.gradient(0)],
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
