import { int, intOf } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';

const axisOf = (c: DerivativeContext): number => {
  const axis = intOf(c.node, 'axis', -1);
  return axis < 0 ? axis + c.shape(c.output(0)).length : axis;
};

/** dx = y (dy - Σ dy·y) along the axis. */
const softmax: Derivative = (c) => {
  const [y, dy] = [c.output(0), c.gradient(0)!];
  const sum = c.emit('ReduceSum', [c.emit('Mul', [dy, y]), c.longs([axisOf(c)])], { keepdims: int(1) });
  return [c.emit('Mul', [y, c.emit('Sub', [dy, sum])])];
};

/** dx = dy - softmax(x) Σ dy along the axis, and softmax(x) = exp y. */
const logSoftmax: Derivative = (c) => {
  const dy = c.gradient(0)!;
  const sum = c.emit('ReduceSum', [dy, c.longs([axisOf(c)])], { keepdims: int(1) });
  return [c.emit('Sub', [dy, c.emit('Mul', [c.emit('Exp', [c.output(0)]), sum])])];
};

/** Normalised exponentials. */
export const softmaxes = { Softmax: softmax, LogSoftmax: logSoftmax } satisfies Readonly<Record<string, Derivative>>;
