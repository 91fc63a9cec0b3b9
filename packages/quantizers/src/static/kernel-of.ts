import type { Graph, IntegerKernel, Node, Target } from '@espalier/core';
import type { StaticRule } from './static-rules.js';

/** The kernel by which a target computes a node on integers. */
export interface ChosenKernel extends IntegerKernel {
  /** Whether the node is written as other ops, because the target has no kernel for it. */
  readonly rewritten: boolean;
}

const has = (table: Readonly<Record<string, unknown>>, op: string): boolean => Object.hasOwn(table, op);

/** The kernel of a node: its own, or those of the ops that it can be written as; undefined where it stays float. */
export function kernelOf({ integer }: Target, node: Node, rule: StaticRule): ChosenKernel | undefined {
  const { kernels, tails } = integer;
  if (has(kernels, node.op)) return { ...kernels[node.op], rewritten: false };
  const runs = (op: string) => has(kernels, op) || tails.includes(op);
  return rule.rewrite?.into.every(runs) ? { rewritten: true } : undefined;
}

/** Why a kernel cannot take a node; undefined when it can. */
export const kernelObstacle = (
  { rewritten, obstacle }: ChosenKernel,
  rule: StaticRule,
  [node, graph]: readonly [Node, Graph],
): string | undefined => rule.obstacle?.(node, graph) ?? (rewritten ? rule.rewrite?.obstacle : obstacle)?.(node, graph);
