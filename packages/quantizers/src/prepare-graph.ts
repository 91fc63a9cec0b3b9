import { type Graph, opsetOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { convertOpset } from '@espalier/passes';

const known = new WeakMap<Graph, Map<number, Graph>>();

/**
 * The graph with types, at an opset that can say what the quantizer writes; made once per graph and opset, so that
 * `needs` and `quantize` see the same one.
 * @throws PASS_OPSET, GRAPH_SHAPE.
 */
export function prepareGraph(graph: Graph, opset: number): Graph {
  const made = known.get(graph) ?? new Map<number, Graph>();
  known.set(graph, made);
  let prepared = made.get(opset);
  if (!prepared) {
    prepared = inferShapes(opsetOf(graph) >= opset ? graph : convertOpset(graph, opset));
    made.set(opset, prepared);
  }
  return prepared;
}
