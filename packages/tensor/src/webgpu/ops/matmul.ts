import { floatOf, intOf, sizeOf } from '@espalier/core';
import type { Tensor as Device, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { wrongShapes } from '../../errors.js';
import { matrixProduct } from '../../matrix-product.js';
import { at, type GpuCall, type GpuKernel, type GpuOp, isReal, made, need } from '../gpu-kernel.js';
import { repeated } from './movement.js';

const matMul: GpuKernel = (c) => {
  const [a, b] = [need(c, 0), need(c, 1)];
  if (!isReal(a)) return undefined;
  const { left, right, batch, m, depth, n, shape } = matrixProduct(c, a.shape, b.shape);
  const product =
    right.length === 2
      ? // One right side for all: the batches are just more rows.
        c.tf.matMul(c.tf.reshape(at(c, 0), [sizeOf(left.slice(0, -1)), depth]), c.tf.reshape(at(c, 1), [...right]))
      : c.tf.matMul(
          inBatches(c, at(c, 0), { own: left, batch, matrix: [m, depth] }),
          inBatches(c, at(c, 1), { own: right, batch, matrix: [depth, n] }),
        );
  return [made(c, c.tf.reshape(product, [...shape]), { shape })];
};

/** Matrices one for each of a batch, repeated where they are shared. */
function inBatches(
  c: GpuCall,
  device: Device,
  {
    own,
    batch,
    matrix,
  }: { readonly own: readonly number[]; readonly batch: readonly number[]; readonly matrix: readonly [number, number] },
): Tensor3D {
  const full = repeated(c, c.tf.reshape(device, [...own]), [...batch, ...matrix]);
  return c.tf.reshape(full, [sizeOf(batch), ...matrix]) as Tensor3D; // three axes, as said
}

/** y = alpha A' B' + beta C. */
const gemm: GpuKernel = (c) => {
  const [a, b] = [need(c, 0), need(c, 1)];
  if (!isReal(a)) return undefined;
  const [ta, tb] = [intOf(c.node, 'transA', 0) === 1, intOf(c.node, 'transB', 0) === 1];
  const [m, left] = ta ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!]; // matrices
  const [right, n] = tb ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
  if (left !== right)
    throw wrongShapes(c.node, 'inner sizes that are equal', `[${a.shape.join(',')}] and [${b.shape.join(',')}]`);
  const [alpha, beta] = [floatOf(c.node, 'alpha', 1), floatOf(c.node, 'beta', 1)];
  // The program for long sums gives wrong ones where the right side is to be read transposed.
  const turned = tb ? c.tf.transpose(at(c, 1)) : at(c, 1);
  const product = c.tf.matMul(at(c, 0) as Tensor2D, turned as Tensor2D, ta);
  const scaled = alpha === 1 ? product : c.tf.mul(product, alpha);
  const shape = [m, n];
  if (beta === 0 || !c.inputs[2]) return [made(c, scaled, { shape })];
  const added = beta === 1 ? at(c, 2) : c.tf.mul(at(c, 2), beta);
  return [made(c, c.tf.add(scaled, added), { shape })];
};

/** Products of matrices. */
export const matMulOps = { MatMul: matMul, Gemm: gemm } as const satisfies Record<string, GpuOp>;
