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

/** Inputs that fit two models at once: sizes that either of them fixes are fixed. Inputs are matched by name. */
export const commonPorts = (a: readonly Port[], b: readonly Port[]): readonly Port[] =>
  a.map((port) => {
    const other = b.find(({ name }) => name === port.name)?.shape;
    if (!port.shape || other?.length !== port.shape.length) return port;
    return { ...port, shape: port.shape.map((dim, i) => (typeof dim === 'number' ? dim : other[i]!)) };
  });
