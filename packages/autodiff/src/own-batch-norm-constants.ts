import { editGraph, type Graph, type ValueId } from '@espalier/core';

const slots = ['scale', 'bias', 'running_mean', 'running_variance'] as const;

/**
 * The same graph with constants of its own for each batch norm. Equal constants may have become one (a fresh net has
 * ones and zeros everywhere), but training moves each its own way. The same object comes back when none is shared.
 */
export function ownBatchNormConstants(graph: Graph): Graph {
  const seen = new Set<ValueId>();
  const draft = editGraph(graph);
  for (const node of graph.nodes) {
    if (node.op !== 'BatchNormalization') continue;
    let changed = false;
    const inputs = node.inputs.map((value, slot) => {
      const tensor = value === undefined ? undefined : graph.constants.get(value);
      if (slot === 0 || value === undefined || !tensor) return value;
      if (!seen.has(value)) {
        seen.add(value);
        return value;
      }
      const own = draft.fresh(`${node.id}_${slots[slot - 1]}`);
      draft.setConstant(own, tensor);
      changed = true;
      return own;
    });
    if (changed) draft.replace(node.id, { ...node, inputs });
  }
  return draft.finish();
}
