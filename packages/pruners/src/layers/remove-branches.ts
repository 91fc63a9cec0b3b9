import { createNode, editGraph, type Graph, type Node } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { inOrder, removeDeadNodes, removeIdentity } from '@espalier/passes';
import { unknownBranch } from '../errors.js';
import { type Branch, branchesOf } from './branches-of.js';

const tidy = inOrder(removeIdentity, removeDeadNodes, inferShapes);

/**
 * Removes branches (by id): their sums keep the other terms, and what only the branches needed is gone. The result
 * computes what the graph would with zeros in place of what the branches compute.
 * @throws PRUNE_BRANCH for an id that the graph does not have.
 */
export function removeBranches(graph: Graph, ids: readonly string[]): Graph {
  if (ids.length === 0) return graph;
  const byId = new Map(branchesOf(graph).map((branch) => [branch.id, branch]));
  const gone = new Map<Node, Set<number>>();
  for (const id of ids) {
    const branch: Branch | undefined = byId.get(id);
    if (!branch) throw unknownBranch(id, [...byId.keys()]);
    const slots = gone.get(branch.node) ?? new Set();
    gone.set(branch.node, slots.add(branch.slot));
  }
  const draft = editGraph(graph);
  for (const [node, slots] of gone) {
    // Of x + f(x) + g(x), written as one sum, a term must be left.
    const kept = node.inputs.filter((_, slot) => !slots.has(slot));
    const inputs = kept.length > 0 ? kept : node.inputs.slice(0, 1);
    const { id, outputs } = node;
    draft.replace(id, inputs.length > 1 ? { ...node, inputs } : createNode({ id, op: 'Identity', inputs, outputs }));
  }
  return tidy(draft.finish());
}
