import type { Graph, Node, Target } from '@espalier/core';
import { hasStorableWeights } from '../stored-weights.js';
import { rowsObstacle } from '../write-rows.js';
import type { StaticSettings } from './static-settings.js';

const refuses = ({ integer }: Target, node: Node, graph: Graph): boolean =>
  integer.kernels[node.op]?.obstacle?.(node, graph) !== undefined;

/** Whether a node that computes in float has its weights stored as integers. */
export function isStored(graph: Graph, node: Node, settings: StaticSettings): boolean {
  const { storage, target, rules, leftOut } = settings;
  if (!storage || leftOut(node.id, node.op) !== undefined) return false;
  if (node.op === 'Gather') {
    return (target.storage?.types.includes('int8') ?? false) && rowsObstacle(graph, node) === undefined;
  }
  const withoutKernel = ['Conv', 'ConvTranspose', 'MatMul', 'Gemm'].includes(node.op)
    ? !Object.hasOwn(target.integer.kernels, node.op) || refuses(target, node, graph)
    : rules.has(node.op);
  return withoutKernel && hasStorableWeights(graph, node, settings);
}
