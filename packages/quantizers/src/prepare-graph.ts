import { type Graph, opsetOf } from '@espalier/core';

/** The graph at an opset that can say what the quantizer writes; the same object where it already is. */
export function prepareGraph(graph: Graph, opset: number): Graph {
  return opsetOf(graph) >= opset ? graph : { ...graph, opsets: new Map([...graph.opsets, ['', opset]]) };
}
