import { int, intOf, type ValueId } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';

/** The axes that a reduction sums over, all from 0 up. */
function axesOf(c: DerivativeContext): readonly number[] {
  const rank = c.shape(c.input(0)).length;
  const written = c.node.inputs[1] === undefined ? undefined : c.numbers(c.node.inputs[1]);
  if (c.node.inputs[1] !== undefined && !written)
    throw unsupportedForm(c.node, 'constant axes', 'axes computed at run time');
  if (!written?.length)
    return intOf(c.node, 'noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, i) => i);
  return written.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** A value of the output's shape with the reduced axes put back as ones. */
function kept(c: DerivativeContext, value: ValueId, axes: readonly number[]): ValueId {
  if (intOf(c.node, 'keepdims', 1) === 1 || axes.length === 0) return value;
  return c.emit('Unsqueeze', [value, c.longs(axes)]);
}

const spread = (c: DerivativeContext, value: ValueId): ValueId => c.emit('Expand', [value, c.shapeOf(c.input(0))]);

const sum: Derivative = (c) => [spread(c, kept(c, c.gradient(0)!, axesOf(c)))];

const mean: Derivative = (c) => {
  const axes = axesOf(c);
  const dy = kept(c, c.gradient(0)!, axes);
  const shape = c.shape(c.input(0));
  const sizes = axes.map((axis) => shape[axis]);
  if (sizes.every((size) => typeof size === 'number')) {
    const count = sizes.reduce((product, size) => product * size, 1);
    return [spread(c, c.emit('Mul', [dy, c.scalar(1 / count)]))];
  }
  // A symbolic axis: the count is only known while running.
  const counts = c.emit('Gather', [c.emit('Shape', [c.input(0)]), c.longs(axes)], { axis: int(0) });
  const count = c.emit('Cast', [c.emit('ReduceProd', [counts], { keepdims: int(0) })], { to: int(1) });
  return [spread(c, c.emit('Div', [dy, count]))];
};

/** Equal extremes share the gradient, so that the sum of the parts is dy. */
const extremum: Derivative = (c) => {
  const axes = axesOf(c);
  const hit = c.emit('Cast', [c.emit('Equal', [c.input(0), kept(c, c.output(0), axes)])], { to: int(1) });
  const hits = c.emit('ReduceSum', [hit, c.longs(axes)], { keepdims: int(1) });
  return [c.emit('Mul', [hit, c.emit('Div', [kept(c, c.gradient(0)!, axes), hits])])];
};

const sumSquare: Derivative = (c) => [
  c.emit('Mul', [c.emit('Mul', [c.input(0), c.scalar(2)]), kept(c, c.gradient(0)!, axesOf(c))]),
];

const l2: Derivative = (c) => {
  const axes = axesOf(c);
  return [c.emit('Mul', [c.input(0), c.emit('Div', [kept(c, c.gradient(0)!, axes), kept(c, c.output(0), axes)])])];
};

const l1: Derivative = (c) => [c.emit('Mul', [c.emit('Sign', [c.input(0)]), kept(c, c.gradient(0)!, axesOf(c))])];

const logSumExp: Derivative = (c) => {
  const axes = axesOf(c);
  const soft = c.emit('Exp', [c.emit('Sub', [c.input(0), kept(c, c.output(0), axes)])]);
  return [c.emit('Mul', [soft, kept(c, c.gradient(0)!, axes)])];
};

const logSum: Derivative = (c) => {
  const axes = axesOf(c);
  return [spread(c, c.emit('Div', [kept(c, c.gradient(0)!, axes), c.emit('Exp', [kept(c, c.output(0), axes)])]))];
};

/** dx = dy·y/x: elements must not be zero. */
const product: Derivative = (c) => {
  const axes = axesOf(c);
  return [c.emit('Div', [c.emit('Mul', [kept(c, c.gradient(0)!, axes), kept(c, c.output(0), axes)]), c.input(0)])];
};

/** A running sum turns round: dx is the running sum of dy from the other end. */
const cumSum: Derivative = (c) => [
  c.emit('CumSum', [c.gradient(0), c.input(1)], {
    exclusive: int(intOf(c.node, 'exclusive', 0)),
    reverse: int(1 - intOf(c.node, 'reverse', 0)),
  }),
];

/** Reductions. */
export const reduction = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceSumSquare: sumSquare,
  ReduceL1: l1,
  ReduceL2: l2,
  ReduceLogSum: logSum,
  ReduceLogSumExp: logSumExp,
  ReduceProd: product,
  CumSum: cumSum,
} satisfies Readonly<Record<string, Derivative>>;
