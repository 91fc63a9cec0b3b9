import { type Graph, type Node, subgraphsOf } from '@espalier/core';
import { isOpName } from './op-names.js';
import { functionKey } from './shapes/function-body.js';

/**
 * The ops that shape inference knows nothing of, with the ids of their nodes, bodies included: custom ops, and
 * rare ones. Their outputs keep the types that the file gives them. Model-local functions are known by their bodies.
 */
export function unknownOps(graph: Graph): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const functions = new Set(graph.functions.map(functionKey));
  const visit = (nodes: readonly Node[]) => {
    for (const node of nodes) {
      if (!isOpName(node.op) && !functions.has(functionKey(node))) {
        const ids = found.get(node.op);
        if (ids) ids.push(node.id);
        else found.set(node.op, [node.id]);
      }
      for (const body of subgraphsOf(node)) visit(body.nodes);
    }
  };
  visit(graph.nodes);
  for (const each of graph.functions) visit(each.nodes);
  return found;
}
