import { type Dim, floatOf, int, intOf, ints, type ValueId } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';

/** The value with its last two axes swapped. */
export function swapped(c: DerivativeContext, value: ValueId, rank: number): ValueId {
  const order = Array.from({ length: rank }, (_, i) => i);
  [order[rank - 2], order[rank - 1]] = [rank - 1, rank - 2];
  return c.emit('Transpose', [value], { perm: ints(order) });
}

const scaled = (c: DerivativeContext, value: ValueId, factor: number): ValueId =>
  factor === 1 ? value : c.emit('Mul', [value, c.scalar(factor)]);

/** dA = dY Bᵀ, dB = Aᵀ dY; the batch axes that broadcasting added are summed. Vectors are treated as matrices. */
const matMul: Derivative = (c) => {
  const [a, b, dy] = [c.input(0), c.input(1), c.gradient(0)!];
  const [ra, rb] = [c.shape(a).length, c.shape(b).length];
  if (ra < 2 || rb < 2) throw unsupportedForm(c.node, 'operands of rank 2 or more', `ranks ${ra} and ${rb}`);
  // A batch of matrices times one matrix is one product of tall matrices.
  const tall = ra > 2 && rb === 2;
  return [
    c.wants(0) ? c.unbroadcast(c.emit('MatMul', [dy, swapped(c, b, rb)]), a) : undefined,
    c.wants(1)
      ? tall
        ? tallProduct(c, a, dy)
        : c.unbroadcast(c.emit('MatMul', [swapped(c, a, ra), dy]), b)
      : undefined,
  ];
};

function tallProduct(c: DerivativeContext, a: ValueId, dy: ValueId): ValueId {
  const rows = (value: ValueId) => {
    const width = c.shape(value === dy ? c.output(0) : value).at(-1)!;
    return c.emit('Reshape', [value, c.longs([-1, known(c, width)])]);
  };
  return c.emit('MatMul', [c.emit('Transpose', [rows(a)], { perm: ints([1, 0]) }), rows(dy)]);
}

function known(c: DerivativeContext, dim: Dim): number {
  if (typeof dim === 'number') return dim;
  throw unsupportedForm(c.node, 'a known size of the last axis', `"${dim}"`);
}

/** Y = α A' B' + β C, with A' and B' transposed where the attributes say so. */
const gemm: Derivative = (c) => {
  const dy = c.gradient(0)!;
  const alpha = floatOf(c.node, 'alpha', 1);
  const beta = floatOf(c.node, 'beta', 1);
  const [ta, tb] = [intOf(c.node, 'transA', 0) === 1, intOf(c.node, 'transB', 0) === 1];
  const product = (left: ValueId, right: ValueId, transposed: { readonly left: boolean; readonly right: boolean }) =>
    c.emit('Gemm', [left, right], { transA: int(Number(transposed.left)), transB: int(Number(transposed.right)) });
  const [a, b] = [c.input(0), c.input(1)];
  const da = () => (ta ? product(b, dy, { left: tb, right: true }) : product(dy, b, { left: false, right: !tb }));
  const db = () => (tb ? product(dy, a, { left: true, right: ta }) : product(a, dy, { left: !ta, right: false }));
  return [
    c.wants(0) ? scaled(c, da(), alpha) : undefined,
    c.wants(1) ? scaled(c, db(), alpha) : undefined,
    c.node.inputs[2] !== undefined && c.wants(2) ? c.unbroadcast(scaled(c, dy, beta), c.input(2)) : undefined,
  ];
};

/** Matrix products. */
export const matmul = { MatMul: matMul, Gemm: gemm } satisfies Readonly<Record<string, Derivative>>;
