import { type Graph, withBodies } from '@espalier/core';

/**
 * The graph with the types of its inputs and outputs alone, in the bodies of If, Loop and Scan too: runtimes infer the
 * others, which would cost a few percent of a small file.
 */
export function withoutInferredTypes(graph: Graph): Graph {
  const kept = new Set([...graph.inputs, ...graph.outputs]);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => withBodies(node, withoutInferredTypes)),
    values: new Map([...graph.values].filter(([value]) => kept.has(value))),
  };
}
