import type { AxisRules, Graph, Use } from '@espalier/core';
import { weightIn } from '@espalier/ops';

/** Ops whose weights can be pruned; custom ops join them through their axis rules. */
export const prunableOps = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM', 'GRU', 'RNN'] as const;

/** One of them. */
export type PrunableOp = (typeof prunableOps)[number];

/** Ops that are pruned by default. Recurrent ones are more delicate: they are pruned where the option `ops` names them. */
export const usualOps: readonly PrunableOp[] = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'];

/** The axis that a weight is summed over, and how many neighbours along it meet the same output. */
export interface Reduction {
  readonly axis: number;
  readonly size: number;
}

/**
 * The reduction of a weight under one of its readers; undefined where it is read as something else. The input channels
 * of one group lie together where the summed axis runs over all groups (ConvTranspose).
 */
export function reductionOf(graph: Graph, use: Use, rules?: AxisRules): Reduction | undefined {
  const weight = weightIn(graph, use, rules);
  const axis = weight?.sums[0];
  const shape = weight && graph.constants.get(weight.value)?.shape;
  if (!weight || axis === undefined || !shape || weight.outputs.length === 0) return undefined;
  const parts = weight.perGroup === 'sums' ? 1 : weight.groups;
  return { axis, size: Math.floor(shape[axis]! / parts) };
}
