import { domainOf, type Graph, type ValueId } from '@espalier/core';

/**
 * The graph without the outputs behind the first that nothing reads: masks of Dropout, statistics of batch norms and
 * indices of pooling, which exporters name whether or not they are used. Kernels of standard ops may leave any out.
 */
export function withoutUnreadOutputs(graph: Graph): Graph {
  const candidates = graph.nodes.filter(({ op, outputs }) => outputs.length > 1 && domainOf(op) === '');
  if (candidates.length === 0) return graph;
  const read = new Set<ValueId | undefined>(graph.outputs);
  for (const { inputs } of graph.nodes) for (const value of inputs) read.add(value);
  const changed = new Set(candidates.filter(({ outputs }) => outputs.slice(1).some((value) => !read.has(value))));
  if (changed.size === 0) return graph;
  const nodes = graph.nodes.map((node) =>
    changed.has(node)
      ? { ...node, outputs: node.outputs.map((value, slot) => (slot === 0 || read.has(value) ? value : undefined)) }
      : node,
  );
  return { ...graph, nodes };
}
