import { intOf, type Node } from '@espalier/core';

const axes = {
  Conv: () => 0,
  ConvTranspose: () => 1,
  Gemm: (node) => (intOf(node, 'transB', 0) !== 0 ? 0 : 1),
  MatMul: (_, rank) => rank - 1,
} as const satisfies Record<string, (node: Node, rank: number) => number>;

/** Ops that multiply activations by a weight in slot 1. */
export type WeightedOp = keyof typeof axes;

/** Whether an op multiplies activations by a weight in slot 1. */
export const isWeighted = (op: string): op is WeightedOp => Object.hasOwn(axes, op);

/**
 * The axis of a weight along which output channels lie: Conv 0, ConvTranspose 1, Gemm 0 when transB else 1, MatMul
 * the last. A quantized weight has one scale per index of it.
 */
export const outputAxis = (node: Node & { readonly op: WeightedOp }, rank: number): number => axes[node.op](node, rank);
