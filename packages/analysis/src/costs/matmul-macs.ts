import { intOf, type Node, sizeOf, textOf } from '@espalier/core';
import type { MacRule } from './mac-rule.js';

/** A [m, k] times B [k, n]: m·k·n, once for each index of the broadcast leading axes. */
const matmul = (a: number, b: number): MacRule => ({
  operands: [a, b],
  macs: ({ node, input }) => {
    const left = flipped(input(a), intOf(node, 'transA', 0));
    const right = flipped(input(b), intOf(node, 'transB', 0));
    if (!left || !right || left.length === 0 || right.length === 0) return undefined;
    const rows = left.length > 1 ? left.at(-2)! : 1;
    const columns = right.length > 1 ? right.at(-1)! : 1;
    return rows * left.at(-1)! * columns * broadcastSize(left.slice(0, -2), right.slice(0, -2));
  },
});

/** Weights that are packed: the sizes stand in the attributes `K` and `N`; MACs = |A| · N. */
const packed: MacRule = {
  operands: [0, 1],
  macs: ({ node, input }) => {
    const a = input(0);
    const columns = intOf(node, 'N', undefined);
    return a && columns !== undefined ? sizeOf(a) * columns : undefined;
  },
};

/** Two operands: the product of the sizes of all their indices. More operands depend on the order chosen: not counted. */
const einsum: MacRule = {
  operands: [0, 1],
  macs: ({ node, input, output }) => {
    const terms = einsumTerms(node);
    if (terms.length === 1) return 0;
    const out = output(0);
    if (!out || terms.length !== 2) return undefined;
    const sizes = new Map<string, number>();
    for (const [slot, term] of terms.entries()) {
      const shape = input(slot);
      if (!shape) return undefined;
      // Indices left of an ellipsis count from the front, those right of it from the back.
      const [front = '', back = ''] = term.split('...');
      for (const [i, index] of [...front].entries()) sizes.set(index, shape[i] ?? 1);
      for (const [i, index] of [...back].entries()) sizes.set(index, shape[shape.length - back.length + i] ?? 1);
    }
    const kept = keptIndices(node, terms);
    const summed = [...sizes].filter(([index]) => !kept.has(index));
    return summed.reduce((product, [, size]) => product * size, sizeOf(out));
  },
};

const einsumTerms = (node: Node): readonly string[] =>
  textOf(node, 'equation', '').replaceAll(/\s/g, '').split('->')[0]!.split(',');

// Without an arrow, the indices that stand once are kept.
function keptIndices(node: Node, terms: readonly string[]): ReadonlySet<string> {
  const written = textOf(node, 'equation', '').split('->')[1];
  const all = terms.join('');
  return new Set(written ?? [...all].filter((index) => all.indexOf(index) === all.lastIndexOf(index)));
}

const flipped = (shape: readonly number[] | undefined, transpose: number) =>
  shape && transpose ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;

function broadcastSize(a: readonly number[], b: readonly number[]): number {
  let size = 1;
  for (let i = 1; i <= Math.max(a.length, b.length); i++) size *= Math.max(a.at(-i) ?? 1, b.at(-i) ?? 1);
  return size;
}

/** Rules of the matrix products. */
export const matmulMacs = {
  Gemm: matmul(0, 1),
  MatMul: matmul(0, 1),
  Einsum: einsum,
  MatMulInteger: matmul(0, 1),
  QLinearMatMul: matmul(0, 3),
  'com.microsoft::FusedMatMul': matmul(0, 1),
  'com.microsoft::FusedGemm': matmul(0, 1),
  'com.microsoft::GemmFloat8': matmul(0, 1),
  'com.microsoft::QGemm': matmul(0, 3),
  'com.microsoft::QLinearMatMul': matmul(0, 3),
  'com.microsoft::MatMulInteger16': matmul(0, 1),
  'com.microsoft::MatMulIntegerToFloat': matmul(0, 1),
  'com.microsoft::DynamicQuantizeMatMul': matmul(0, 1),
  'com.microsoft::MatMulNBits': packed,
  'com.microsoft::MatMulBnb4': packed,
} as const satisfies Record<string, MacRule>;
