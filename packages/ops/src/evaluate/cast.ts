import {
  type DType,
  fromNumbers,
  isFloat,
  isInteger,
  isPacked,
  type Node,
  type Tensor,
  toNumbers,
} from '@espalier/core';
import { dtypeAttribute } from '../shapes/onnx-dtype.js';
import { type Evaluator, fits } from './evaluator.js';

/** The dtype an attribute such as Cast's `to` names; undefined when absent or not known. */
export const castTarget = (node: Node, attribute = 'to'): DType | undefined => dtypeAttribute(node, attribute);

const isWide = (dtype: DType): boolean => dtype === 'int64' || dtype === 'uint64';
const isPlain = (dtype: DType): boolean =>
  (isInteger(dtype) && !isPacked(dtype)) ||
  dtype === 'bool' ||
  ['float64', 'float32', 'float16', 'bfloat16'].includes(dtype);

/**
 * A tensor as another dtype: floats to integers truncate toward zero, integers wrap, everything but zero is true.
 * Undefined where ONNX leaves the result open (NaN and floats beyond the integer's range), and for text, complex and
 * the formats that only store.
 */
export function castTo(x: Tensor, to: DType): Tensor | undefined {
  if (x.dtype === to) return x;
  if (!isPlain(x.dtype) || !isPlain(to)) return undefined;
  if (isWide(x.dtype) && isWide(to)) {
    const data = to === 'int64' ? BigInt64Array.from(x.data as never) : BigUint64Array.from(x.data as never);
    return { dtype: to, shape: x.shape, data } as Tensor; // both hold 64-bit integers
  }
  if (isWide(x.dtype) && isInteger(to)) return narrowed(x, to);
  const values = x.dtype === 'float32' || x.dtype === 'float64' ? x.data : toNumbers(x);
  const limits = isFloat(x.dtype) && isInteger(to) ? rangeOf(to) : undefined;
  if (limits) {
    for (let i = 0; i < values.length; i++) {
      const value = Math.trunc(values[i]!);
      if (!(value >= limits.min && value <= limits.max)) return undefined;
    }
  }
  if (to === 'uint64' && !limits && isInteger(x.dtype)) {
    return { dtype: to, shape: x.shape, data: BigUint64Array.from(values as readonly number[], BigInt) } as Tensor; // wraps negatives
  }
  return fromNumbers(to, x.shape, values);
}

function narrowed(x: Tensor, to: DType): Tensor {
  const low = Int32Array.from(x.data as ArrayLike<bigint>, (each) => Number(BigInt.asIntN(32, each)));
  return fromNumbers(to, x.shape, low);
}

/** Smallest and largest whole number of an integer dtype, exact up to 2^53; 64-bit ends stop at the last double inside. */
function rangeOf(dtype: DType): { min: number; max: number } {
  const bits = Number(/\d+$/.exec(dtype)?.[0]);
  if (dtype.startsWith('u')) return { min: 0, max: bits === 64 ? 2 ** 64 - 2048 : 2 ** bits - 1 };
  return { min: -(2 ** (bits - 1)), max: bits === 64 ? 2 ** 63 - 1024 : 2 ** (bits - 1) - 1 };
}

const castInto =
  (target: (node: Node, like: Tensor | undefined) => DType | undefined): Evaluator =>
  (call) => {
    const [x, like] = call.inputs;
    const to = target(call.node, like);
    if (!x || !to || !fits(call, to, x.shape)) return undefined;
    const result = castTo(x, to);
    return result && [result];
  };

/** Cast and CastLike. */
export const castEvaluators = {
  Cast: castInto((node) => castTarget(node)),
  CastLike: castInto((_, like) => like?.dtype),
} satisfies Record<string, Evaluator>;
