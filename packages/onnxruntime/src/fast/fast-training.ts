import { editGraph, type Graph, outerReferences } from '@espalier/core';
import { blockedDomain, openWriter } from './blocked-writer.js';
import { fuseIntoConvolutions } from './fuse-into-convolutions.js';
import { ruleOf, trainingOps } from './rules.js';

/**
 * A training step in the form that is fast in onnxruntime: convolutions, batch norms and what lies between them work on
 * blocked values (see `BlockedWriter`), which the runtime itself only does where weights are constants. What has no
 * rule, or sizes that do not fit, stays as it is, for `lowerCustomOps`. Graphs that do not train come back unchanged.
 */
export function fastTraining(graph: Graph, block: number): Graph {
  if (block === 0 || !graph.nodes.some(({ op }) => trainingOps.has(op))) return graph;
  const draft = editGraph(graph);
  const w = openWriter(graph, draft, block);
  let changed = false;
  for (const node of graph.nodes) {
    w.at(node.op);
    if (ruleOf(node.op)?.(node, w)) {
      draft.replace(node.id, ...w.take());
      changed = true;
      continue;
    }
    for (const value of [...node.inputs, ...outerReferences(node)]) if (value !== undefined) w.plain(value);
    draft.insertBefore(node.id, ...w.take());
  }
  if (!changed) return graph;
  for (const value of graph.outputs) w.plain(value);
  draft.append(...w.take());
  draft.setOpset(blockedDomain, 1);
  draft.setOpset('com.microsoft', 1);
  return fuseIntoConvolutions(withoutStaleInfos(draft.finish()), w.sums);
}

/** The graph without types of values that nothing makes any more. */
function withoutStaleInfos(graph: Graph): Graph {
  const made = new Set([...graph.inputs, ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  return { ...graph, values: new Map([...graph.values].filter(([value]) => made.has(value))) };
}
