import { type Graph, opsetOf } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { convertOpset, type OtherPrecision, type SinglePrecision, singlePrecision } from '@espalier/passes';

/**
 * The graph with types, at an opset that can say what the quantizer writes, in float32 where layers have one of the
 * types. @throws PASS_OPSET, GRAPH_SHAPE.
 */
export function prepareGraph(
  graph: Graph,
  { opset, single }: { readonly opset: number; readonly single?: readonly OtherPrecision[] },
): SinglePrecision {
  const { graph: computed, stored } = singlePrecision(
    opsetOf(graph) >= opset ? graph : convertOpset(graph, opset),
    single,
  );
  return { graph: inferShapes(computed), stored };
}
