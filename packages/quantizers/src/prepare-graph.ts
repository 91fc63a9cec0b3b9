import { type Graph, opsetOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { convertOpset } from '@espalier/passes';

/** The graph with types, at an opset that can say what the quantizer writes. @throws PASS_OPSET, GRAPH_SHAPE. */
export const prepareGraph = (graph: Graph, opset: number): Graph =>
  inferShapes(opsetOf(graph) >= opset ? graph : convertOpset(graph, opset));
