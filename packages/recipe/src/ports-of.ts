import { type Graph, type Port, problem } from '@espalier/core';

/** The inputs of a graph with their types. @throws GRAPH_TYPE when the model does not say what an input is. */
export const portsOf = (graph: Graph): readonly Port[] =>
  graph.inputs.map((name) => {
    const info = graph.values.get(name);
    if (info) return { name, ...info };
    throw problem('GRAPH_TYPE', {
      where: `input "${name}"`,
      expected: 'a declared type',
      found: 'none',
      fix: 'Export the model again with types for its inputs.',
    });
  });
