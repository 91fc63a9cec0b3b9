import { int } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';

const one = (c: DerivativeContext) => c.scalar(1);
const float = (c: DerivativeContext, condition: string) => c.emit('Cast', [condition], { to: int(1) });

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
const extremum: Derivative = (c) => {
  const dy = c.gradient(0)!;
  let rest: string | undefined; // 1 where no input so far was the chosen one
  return c.node.inputs.map((_, slot) => {
    const value = c.input(slot);
    const last = slot === c.node.inputs.length - 1;
    let chosen = rest;
    if (!last) {
      const hit = float(c, c.emit('Equal', [value, c.output(0)]));
      chosen = rest === undefined ? hit : c.emit('Mul', [hit, rest]);
      rest = c.emit('Sub', [rest ?? one(c), chosen]);
    }
    if (!c.wants(slot)) return undefined;
    return c.unbroadcast(chosen === undefined ? dy : c.emit('Mul', [dy, chosen]), value);
  });
};

const shared: Derivative = (c) =>
  c.node.inputs.map((value, slot) =>
    value !== undefined && c.wants(slot) ? c.unbroadcast(c.gradient(0)!, value) : undefined,
  );

/** The exponent of a Pow as float32. */
const exponent = (c: DerivativeContext) =>
  c.isFloat(c.input(1)) ? c.input(1) : c.emit('Cast', [c.input(1)], { to: int(1) });

/** Arithmetic with broadcasting. */
export const arithmetic = {
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
    (c, dy) => {
      const b = exponent(c);
      const power = c.emit('Pow', [c.input(0), c.emit('Sub', [b, one(c)])]);
      return c.emit('Mul', [dy, c.emit('Mul', [b, power])]);
    },
    (c, dy) => c.emit('Mul', [dy, c.emit('Mul', [c.output(0), c.emit('Log', [c.input(0)])])]),
  ),
  Max: extremum,
  Min: extremum,
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
} satisfies Readonly<Record<string, Derivative>>;
