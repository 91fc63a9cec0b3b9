import type { Node } from '@espalier/core';
import { wrongShapes } from './errors.js';
import { broadcast } from './kernels/binary.js';

/** The shapes that MatMul multiplies: [...batch, m, depth] by [...batch, depth, n]. */
export interface MatrixProduct {
  /** Shapes of the operands with two axes at least. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly batch: readonly number[];
  readonly m: number;
  readonly depth: number;
  readonly n: number;
  /** Of the result. */
  readonly shape: readonly number[];
}

/** The product of two shapes: a vector is a row on the left and a column on the right. @throws EXECUTOR_FAILED. */
export function matrixProduct(c: { readonly node: Node }, a: readonly number[], b: readonly number[]): MatrixProduct {
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  const [m, depth, n] = [left.at(-2)!, left.at(-1)!, right.at(-1)!]; // two axes at least
  if (right.at(-2) !== depth)
    throw wrongShapes(c.node, 'inner sizes that are equal', `[${a.join(',')}] and [${b.join(',')}]`);
  const batch = broadcast(c, left.slice(0, -2), right.slice(0, -2));
  const shape = [...batch, ...(a.length === 1 ? [] : [m]), ...(b.length === 1 ? [] : [n])];
  return { left, right, batch, m, depth, n, shape };
}
