import { intOf, intsOf, reshaped, sizeOf, type Tensor } from '@espalier/core';
import { axesWithin, axisWithin, type Evaluator, fits } from './evaluator.js';
import { listedOf } from './forms.js';
import { wholeNumbersOf } from './numeric.js';
import { isMovable, strided, stridesOf } from './strided.js';

const sized = (source: Tensor, shape: readonly number[]): readonly Tensor[] | undefined =>
  shape.every((dim) => dim >= 0) && sizeOf(shape) === sizeOf(source.shape) ? [reshaped(source, shape)] : undefined;

/** Reshape: 0 copies the input's dimension unless `allowzero`, one -1 takes what is left. */
const reshape: Evaluator = ({ node, inputs: [x, target] }) => {
  const wanted = wholeNumbersOf(target) ?? intsOf(node, 'shape', undefined);
  if (!x || !wanted) return undefined;
  const allowZero = intOf(node, 'allowzero', 0) === 1;
  const shape = wanted.map((dim, i) => (dim === 0 && !allowZero ? (x.shape[i] ?? -2) : dim));
  const open = shape.indexOf(-1);
  if (open >= 0) {
    const rest = shape.reduce((product, dim, i) => (i === open ? product : product * dim), 1);
    if (rest <= 0 || sizeOf(x.shape) % rest !== 0) return undefined;
    shape[open] = sizeOf(x.shape) / rest;
  }
  return sized(x, shape);
};

const flatten: Evaluator = ({ node, inputs: [x] }) => {
  if (!x) return undefined;
  const given = intOf(node, 'axis', 1);
  const axis = given < 0 ? given + x.shape.length : given;
  if (axis < 0 || axis > x.shape.length) return undefined;
  return sized(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
};

const squeeze: Evaluator = (call) => {
  const [x] = call.inputs;
  const given = listedOf(call, 1, 'axes');
  if (!x || given === 'unknown') return undefined;
  const axes =
    given === 'absent' ? x.shape.flatMap((dim, i) => (dim === 1 ? [i] : [])) : axesWithin(given, x.shape.length);
  if (!axes?.every((axis) => x.shape[axis] === 1)) return undefined;
  return sized(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  );
};

const unsqueeze: Evaluator = (call) => {
  const [x] = call.inputs;
  const given = listedOf(call, 1, 'axes');
  if (!x || typeof given === 'string') return undefined;
  const axes = axesWithin(given, x.shape.length + given.length);
  if (!axes) return undefined;
  const rest = [...x.shape];
  return sized(
    x,
    Array.from({ length: rest.length + axes.length }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)),
  );
};

const transpose: Evaluator = (call) => {
  const [x] = call.inputs;
  if (!x || !isMovable(x.dtype) || !fits(call, x.dtype, x.shape)) return undefined;
  const perm = intsOf(call.node, 'perm', undefined) ?? x.shape.map((_, i) => x.shape.length - 1 - i);
  if (perm.length !== x.shape.length || !axesWithin(perm, x.shape.length)) return undefined;
  const axes = perm.map((axis) => axisWithin(axis, x.shape.length)!); // all within, as just checked
  const strides = stridesOf(x.shape);
  return [strided(x, { shape: axes.map((axis) => x.shape[axis]!), strides: axes.map((axis) => strides[axis]!) })];
};

/** Ops that keep the elements in order and change the shape only; they work on every dtype. */
export const reshapeEvaluators = {
  Identity: ({ inputs: [x] }) => x && [x],
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
} satisfies Record<string, Evaluator>;

/** Transpose, beside its kin. */
export const transposeEvaluator: Evaluator = transpose;
