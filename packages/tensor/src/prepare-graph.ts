import { checkGraph, editGraph, type Graph } from '@espalier/core';
import { inferShapes, isEvaluated } from '@espalier/ops';
import { lowerings } from '@espalier/passes';
import { unsupportedOp } from './errors.js';
import { kernelOf } from './kernel-of.js';

/**
 * The graph as it is run: custom ops that `runs` says have no kernel of their own are lowered to standard ones, and
 * every op is checked to have one. @throws EXECUTOR_UNSUPPORTED_OP, PASS_LOWERING, GRAPH_*.
 */
export function prepareGraph(given: Graph, runs = (op: string): boolean => kernelOf(op) !== undefined): Graph {
  const graph = checkGraph(given);
  const lower = new Map(Object.entries(lowerings));
  const foreign = graph.nodes.filter((node) => !runs(node.op) && lower.has(node.op));
  const lowered = foreign.length > 0 ? lowerNodes(inferShapes(graph)) : graph;
  for (const node of lowered.nodes) if (!runs(node.op) && !isEvaluated(node.op)) throw unsupportedOp(node);
  return lowered;

  function lowerNodes(typed: Graph): Graph {
    const draft = editGraph(typed);
    for (const node of foreign)
      draft.replace(node.id, ...lower.get(node.op)!(node, { graph: typed, draft, qdq: true })); // foreign ones have one
    return draft.finish();
  }
}
