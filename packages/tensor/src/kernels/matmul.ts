import { floatOf, intOf, sizeOf } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Call, Kernel } from '../kernel.js';
import { matrixProduct } from '../matrix-product.js';
import { at, isReal, need } from '../operands.js';
import { rowMajor } from '../strided.js';
import { blockOf, deviceValue, type Value } from '../value.js';
import { applyBinary } from './binary.js';
import { unaryCodes } from './unary.js';

const matMul: Kernel = (c) => {
  const [a, b] = [need(c, 0), need(c, 1)];
  if (!isReal(a)) return undefined;
  const { left, right, batch, m, depth, n, shape } = matrixProduct(c, a.shape, b.shape);
  const out = c.heap.allocate(sizeOf(batch) * m * n);
  const [x, y] = [at(c, 0), at(c, 1)];
  if (right.length === 2) {
    // One right side for all: the batches are just more rows.
    const rows = sizeOf(left.slice(0, -1));
    c.heap.kernels.gemm(x, y, out.pointer, rows, n, depth, depth, 1, n, 1, 0, c.heap.room);
  } else {
    const [ia, ib] = [offsets(left.slice(0, -2), batch, m * depth), offsets(right.slice(0, -2), batch, depth * n)];
    for (let i = 0; i < ia.length; i++)
      c.heap.kernels.gemm(
        x + 4 * ia[i]!,
        y + 4 * ib[i]!,
        out.pointer + 4 * i * m * n,
        m,
        n,
        depth,
        depth,
        1,
        n,
        1,
        0,
        c.heap.room,
      );
  }
  return [deviceValue(a.dtype, shape, out)];
};

/** Where each matrix of a broadcast batch begins. */
function offsets(own: readonly number[], batch: readonly number[], matrix: number): readonly number[] {
  const strides = rowMajor(own);
  const lead = batch.length - own.length;
  let found = [0];
  batch.forEach((dim, axis) => {
    const stride = axis < lead || own[axis - lead] === 1 ? 0 : strides[axis - lead]! * matrix;
    found = found.flatMap((base) => Array.from({ length: dim }, (_, i) => base + i * stride));
  });
  return found;
}

/** y = alpha A' B' + beta C. */
const gemm: Kernel = (c) => {
  const [a, b] = [need(c, 0), need(c, 1)];
  if (!isReal(a)) return undefined;
  const [ta, tb] = [intOf(c.node, 'transA', 0) === 1, intOf(c.node, 'transB', 0) === 1];
  const [rows, columns, n0, n1] = [a.shape[0]!, a.shape[1]!, b.shape[0]!, b.shape[1]!]; // matrices
  const [m, depth] = ta ? [columns, rows] : [rows, columns];
  const n = tb ? n0 : n1;
  if ((tb ? n1 : n0) !== depth)
    throw wrongShapes(c.node, 'inner sizes that are equal', `[${a.shape.join(',')}] and [${b.shape.join(',')}]`);
  const [alpha, beta] = [floatOf(c.node, 'alpha', 1), floatOf(c.node, 'beta', 1)];
  const added = beta === 0 ? undefined : c.inputs[2];
  const fused = added && alpha === 1 && beta === 1 && sizeOf(added.shape) === n && added.shape.at(-1) === n;
  const out = c.heap.allocate(m * n);
  const [ar, ac] = ta ? [1, columns] : [columns, 1];
  const [br, bc] = tb ? [1, n1] : [n1, 1];
  const bias = fused ? at(c, 2) : 0;
  c.heap.kernels.gemm(at(c, 0), at(c, 1), out.pointer, m, n, depth, ar, ac, br, bc, bias, c.heap.room);
  const product = deviceValue(a.dtype, [m, n], out);
  if (alpha !== 1) c.heap.kernels.unary(unaryCodes.Linear, out.pointer, out.pointer, out.count, alpha, 0);
  return [added && !fused ? plus(c, product, added, beta) : product];
};

/** product + beta added; the product is given up. */
function plus(c: Call, product: Value, added: Value, beta: number): Value {
  const calm = { ...c, dies: () => false };
  let scaled = added;
  if (beta !== 1) {
    const from = blockOf(c.heap, added, 'plain');
    const block = c.heap.allocate(from.count);
    c.heap.kernels.unary(unaryCodes.Linear, from.pointer, block.pointer, from.count, beta, 0);
    scaled = deviceValue(added.dtype, added.shape, block);
  }
  const sum = applyBinary(calm, 'Add', { a: product, b: scaled });
  c.heap.release(product.plain!); // made by gemm
  if (scaled !== added) c.heap.release(scaled.plain!); // made just above
  return sum;
}

/** Products of matrices. */
export const matMulKernels = { MatMul: matMul, Gemm: gemm } as const satisfies Record<string, Kernel>;
