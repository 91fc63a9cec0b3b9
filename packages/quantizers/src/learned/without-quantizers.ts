import { editGraph, type Graph } from '@espalier/core';
import { removeDeadNodes } from '@espalier/passes';

/** The model without its fake-quantizers: each reader of one reads what it read. */
export function withoutQuantizers(graph: Graph): Graph {
  const quantizers = graph.nodes.filter(({ op }) => op === 'espalier::FakeQuantize');
  if (quantizers.length === 0) return graph;
  const draft = editGraph(graph);
  for (const { id, inputs, outputs } of quantizers) {
    draft.replace(id);
    if (inputs[0] !== undefined && outputs[0] !== undefined) draft.redirect(outputs[0], inputs[0]);
  }
  return removeDeadNodes(draft.finish());
}
