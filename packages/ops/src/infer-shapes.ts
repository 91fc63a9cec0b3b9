import { definePlugin, EspalierError, type Graph } from '@espalier/core';
import { functionKey } from './shapes/function-body.js';
import { inferGraph, type Run } from './shapes/infer-graph.js';

// Bodies in bodies in bodies are visited several times each; a real model stays far below this.
const mostBodyNodes = 200_000;

/**
 * Finds dtype and shape of every value it can and writes them to `graph.values`, bodies of If, Loop and Scan
 * included. Sizes that are not numbers are names: those of the inputs flow through (`batch`), arithmetic on them
 * is spelled out (`floor((H + 1)/2)`), and what only running the model can tell gets a name of its own that starts
 * with `?` (`?nms_0`). Types in the file only fill what inference leaves open. The same object comes back when
 * nothing is new. An unknown op leaves its outputs unknown; see `unknownOps`.
 * @throws GRAPH_SHAPE naming the first node whose inputs cannot belong together.
 */
export function inferShapes(graph: Graph): Graph {
  try {
    return inferGraph(graph, openRun(graph, true)).graph;
  } catch (error) {
    // A file may give a wrong type where inference leaves one open: only a contradiction without it is real.
    if (!(error instanceof EspalierError) || error.code !== 'GRAPH_SHAPE') throw error;
    return inferGraph(graph, openRun(graph, false)).graph;
  }
}

const openRun = (graph: Graph, trustDeclared: boolean): Run => ({
  functions: new Map(graph.functions.map((each) => [functionKey(each), each])),
  trustDeclared,
  budget: mostBodyNodes,
  calls: [],
});

/** The pass `infer-shapes`. */
export const inferShapesPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'infer-shapes',
  about: 'Finds the dtype and shape of every value, with names for sizes that are not fixed.',
  options: {},
  create: () => inferShapes,
});
