import { type Axis, intOf, type Node, textOf } from '@espalier/core';
import { type Product, type ProductRule, type ProductSite, product, rows } from '../product.js';

/** A product of matrices: every element of the result sums over one axis of the left factor. */
const matrices = (b: number, summed: (node: Node, rank: number) => number): ProductRule => ({
  operands: [0, b],
  products: ({ node, inputs: [a], outputs: [y] }) => {
    const axis = a?.axes[summed(node, a.axes.length)];
    return axis && y && [product(...y.axes, axis)];
  },
});

const last = (b = 1) => matrices(b, (_, rank) => rank - 1);

/** `transA` exchanges the last two axes; `transBatchA` has put the first of them before the batch. */
const flipped = (b = 1) =>
  matrices(b, (node, rank) => {
    if (intOf(node, 'transA', 0) === 0 || rank < 2) return rank - 1;
    return intOf(node, 'transBatchA', 0) ? 0 : rank - 2;
  });

/** The indices of an equation: those of each operand, and those that the result keeps. */
function termsOf(node: Node): { readonly terms: readonly string[]; readonly kept: ReadonlySet<string> } {
  const [left = '', right] = textOf(node, 'equation', '').replaceAll(/\s/g, '').split('->');
  // Without an arrow, the indices that stand once are kept.
  const once = [...left].filter((index) => left.indexOf(index) === left.lastIndexOf(index));
  return { terms: left.split(','), kept: new Set(right ?? once) };
}

/**
 * Two operands: the sizes of all indices, each once; `ij,jk->ik` of [2, 10] and [10, 20] is 2 * 10 * 20 = 400. The
 * products of more operands depend on an order that the runtime chooses: they are not counted.
 */
function einsumProducts({ node, inputs, outputs: [y] }: ProductSite): readonly Product[] | undefined {
  const { terms, kept } = termsOf(node);
  if (terms.length === 1) return [];
  if (!y || terms.length !== 2) return undefined;
  const summed = new Map<string, Axis>();
  for (const [slot, term] of terms.entries()) {
    const axes = inputs[slot]?.axes;
    if (!axes) return undefined;
    // Indices left of an ellipsis count from the front, those right of it from the back.
    const [front = '', back = ''] = term.split('...');
    const named = [
      ...[...front].map((index, i) => [index, axes[i]] as const),
      ...[...back].map((index, i) => [index, axes[axes.length - back.length + i]] as const),
    ];
    for (const [index, axis] of named) if (axis && !kept.has(index)) summed.set(index, axis);
  }
  return [product(...y.axes, ...summed.values())];
}

/** Each token goes through `k` experts: fc1 [experts, ., .], fc2, and fc3 where there is one. */
const experts: ProductRule = {
  operands: [0, 2],
  products: ({ node, inputs }) => {
    const [x, , fc1, , fc2, , fc3] = inputs;
    if (!x || !fc1 || !fc2) return undefined;
    return [fc1, fc2, fc3].flatMap((weight) =>
      weight ? [{ factor: intOf(node, 'k', 1), axes: [...rows(x), ...weight.axes.slice(1)] }] : [],
    );
  },
};

/** Products of matrices. */
export const linearProducts = {
  Einsum: { operands: [0, 1], products: einsumProducts },
  Gemm: flipped(),
  MatMul: last(),
  MatMulInteger: last(),
  QLinearMatMul: last(3),
  'com.microsoft::DynamicQuantizeMatMul': last(),
  'com.microsoft::FusedGemm': flipped(),
  'com.microsoft::FusedMatMul': flipped(),
  'com.microsoft::FusedMatMulActivation': flipped(),
  'com.microsoft::GemmFastGelu': last(),
  'com.microsoft::GemmFloat8': flipped(),
  'com.microsoft::MatMulBnb4': last(),
  'com.microsoft::MatMulInteger16': last(),
  'com.microsoft::MatMulIntegerToFloat': last(),
  'com.microsoft::MatMulNBits': last(),
  'com.microsoft::MoE': experts,
  'com.microsoft::QGemm': flipped(3),
  'com.microsoft::QLinearMatMul': last(3),
  'com.microsoft::TransposeMatMul': flipped(),
} as const satisfies Record<string, ProductRule>;
