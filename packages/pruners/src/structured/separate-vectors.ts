import { editGraph, type Graph, isFloat, redirectNode, usesOf } from '@espalier/core';

/**
 * Gives every reader of a shared vector a copy of its own, the elements shared: exporters write equal biases and
 * statistics once, which would tie layers that have nothing to do with each other. Matrices that are shared stay so.
 */
export function separateVectors(graph: Graph): Graph {
  const draft = editGraph(graph);
  const renamed = new Map<string, Map<string, string>>();
  const outputs = new Set(graph.outputs);
  for (const [value, tensor] of graph.constants) {
    const vector = isFloat(tensor.dtype) && tensor.shape.filter((size) => size > 1).length === 1;
    if (!vector || outputs.has(value)) continue;
    const readers = new Set(usesOf(graph, value).map(({ node }) => node));
    if (readers.size < 2 || usesOf(graph, value).some(({ slot }) => slot < 0)) continue;
    for (const { id } of [...readers].slice(1)) {
      const copy = draft.constant(`${value}_copy`, tensor);
      const names = renamed.get(id) ?? new Map<string, string>();
      renamed.set(id, names.set(value, copy));
    }
  }
  for (const node of graph.nodes) {
    const names = renamed.get(node.id);
    if (names) draft.replace(node.id, redirectNode(node, names));
  }
  return draft.finish();
}
