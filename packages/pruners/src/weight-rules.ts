import { intOf, type Node } from '@espalier/core';

/** Ops whose weights can be pruned. */
export type PrunableOp = 'Conv' | 'ConvTranspose' | 'Gemm' | 'MatMul' | 'LSTM' | 'GRU' | 'RNN';

/** The axis that a weight is summed over, and how many neighbours along it meet the same output. */
export interface Reduction {
  readonly axis: number;
  readonly size: number;
}

/** Where an op keeps its weights, and how each is laid out. */
export interface WeightRule {
  /** Input slots that hold weights when they are constants. */
  readonly slots: readonly number[];
  /** Least number of dimensions of a weight. */
  readonly rank: number;
  reduction(node: Node, slot: number, shape: readonly number[]): Reduction;
}

const along = (shape: readonly number[], axis: number): Reduction => ({ axis, size: shape[axis]! });

// W is [directions, gates * hidden, input] and R [directions, gates * hidden, hidden].
const recurrent: WeightRule = { slots: [1, 2], rank: 3, reduction: (_, __, shape) => along(shape, 2) };

/** The weights of each op, by the layouts of the ONNX operator set. */
export const weightRules = {
  // [out, in / group, ...kernel]: one output sums over the input channels of its group.
  Conv: { slots: [1], rank: 3, reduction: (_, __, shape) => along(shape, 1) },
  // [in, out / group, ...kernel]: the input channels of one group lie together.
  ConvTranspose: {
    slots: [1],
    rank: 3,
    reduction: (node, _, shape) => ({ axis: 0, size: Math.floor(shape[0]! / Math.max(1, intOf(node, 'group', 1))) }),
  },
  // A is [M, K] and B [K, N], each transposed when its flag is set.
  Gemm: {
    slots: [0, 1],
    rank: 2,
    reduction: (node, slot, shape) =>
      slot === 0 ? along(shape, intOf(node, 'transA', 0) ? 0 : 1) : along(shape, intOf(node, 'transB', 0) ? 1 : 0),
  },
  // [..., M, K] times [..., K, N].
  MatMul: {
    slots: [0, 1],
    rank: 2,
    reduction: (_, slot, shape) => along(shape, slot === 0 ? shape.length - 1 : shape.length - 2),
  },
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
} as const satisfies Record<PrunableOp, WeightRule>;

/** Ops that are pruned by default. Recurrent ops are more delicate, so a user must name them. */
export const usualOps: readonly PrunableOp[] = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'];

/** The rule of an op; undefined for every op whose weights are not known. */
export const weightRuleOf = (op: string): WeightRule | undefined =>
  Object.hasOwn(weightRules, op) ? weightRules[op as PrunableOp] : undefined; // just looked up
