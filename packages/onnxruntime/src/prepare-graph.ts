import type { Graph } from '@espalier/core';
import { lowerCustomOps } from '@espalier/passes';
import { blockSize } from './fast/block-size.js';
import { fastTraining } from './fast/fast-training.js';
import { trainingOps } from './fast/rules.js';
import type { Runtime } from './runtime.js';

/** The graph as it is handed to the runtime: ops of the espalier domain written as ops that the runtime has. */
export async function prepareGraph(runtime: Runtime, graph: Graph): Promise<Graph> {
  const trains = graph.nodes.some(({ op }) => trainingOps.has(op));
  return lowerCustomOps(trains ? fastTraining(graph, await blockSize(runtime)) : graph);
}
