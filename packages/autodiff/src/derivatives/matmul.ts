import { type Dim, floatOf, int, intOf, ints, text, textOf, type ValueId } from '@espalier/core';
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

/** dA = dY Bᵀ, dB = Aᵀ dY; the batch axes that broadcasting added are summed. A vector is a matrix of one row or column. */
const matMul: Derivative = (c) => {
  const [ra, rb] = [c.shape(c.input(0)).length, c.shape(c.input(1)).length];
  if (ra === 1 || rb === 1) return vectorProduct(c, { a: ra === 1, b: rb === 1 });
  const [a, b, dy] = [c.input(0), c.input(1), c.gradient(0)!];
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

/** da_k = Σ dy B_k, db_k = Σ A_k dy over all other axes, from the products element by element. */
function vectorProduct(
  c: DerivativeContext,
  vector: { readonly a: boolean; readonly b: boolean },
): readonly (ValueId | undefined)[] {
  const [a, b] = [c.input(0), c.input(1)];
  const column = (value: ValueId) => c.emit('Unsqueeze', [value, c.longs([-1])]);
  const row = (value: ValueId) => c.emit('Unsqueeze', [value, c.longs([-2])]);
  const sumTo = (value: ValueId, rank: number, kept: number) => {
    const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== kept);
    return c.emit('ReduceSum', [value, c.longs(axes)], { keepdims: int(0) });
  };
  const dy = c.gradient(0)!;
  if (vector.a && vector.b) return [c.emit('Mul', [dy, b]), c.emit('Mul', [dy, a])];
  if (vector.a) {
    // y[.., n] = Σ_k a[k] B[.., k, n]
    const rank = c.shape(b).length;
    return [
      c.wants(0) ? sumTo(c.emit('Mul', [b, row(dy)]), rank, rank - 2) : undefined,
      c.wants(1) ? c.emit('Mul', [column(a), row(dy)]) : undefined,
    ];
  }
  // y[.., m] = Σ_k A[.., m, k] b[k]
  const rank = c.shape(a).length;
  return [
    c.wants(0) ? c.emit('Mul', [column(dy), b]) : undefined,
    c.wants(1) ? sumTo(c.emit('Mul', [a, column(dy)]), rank, rank - 1) : undefined,
  ];
}

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

/**
 * A product of two operands is a product in each of them: for `ij,jk->ik` dA is `ik,jk->ij`. Letters that stand in one
 * operand alone and not in the result were summed; they are refused, as repeated letters and ellipses are.
 */
const einsum: Derivative = (c) => {
  const equation = textOf(c.node, 'equation', '').replaceAll(' ', '');
  const [left = '', result] = equation.split('->');
  const [a, b, ...more] = left.split(',');
  const plain = [a, b, result].every(
    (term) => term !== undefined && /^[a-zA-Z]*$/.test(term) && new Set(term).size === term.length,
  );
  const known = (own: string, others: string) => [...own].every((letter) => others.includes(letter));
  if (!plain || more.length > 0 || !known(a!, b! + result!) || !known(b!, a! + result!)) {
    throw unsupportedForm(c.node, 'two operands, without repeated letters, ellipses and axes summed alone', equation);
  }
  const product = (inputs: readonly ValueId[], terms: string) => c.emit('Einsum', inputs, { equation: text(terms) });
  const dy = c.gradient(0)!;
  return [
    c.wants(0) ? product([dy, c.input(1)], `${result},${b}->${a}`) : undefined,
    c.wants(1) ? product([c.input(0), dy], `${a},${result}->${b}`) : undefined,
  ];
};

/** Matrix products. */
export const matmul = { MatMul: matMul, Gemm: gemm, Einsum: einsum } satisfies Readonly<Record<string, Derivative>>;
