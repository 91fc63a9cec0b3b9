import { type Graph, subgraphsOf } from '@espalier/core';

const drawing: ReadonlySet<string> = new Set([
  'Bernoulli',
  'Multinomial',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
]);

/** Whether a model draws random numbers at each run, so that two runs of it differ. */
export const drawsNumbers = (graph: Graph): boolean =>
  graph.nodes.some((node) => drawing.has(node.op) || subgraphsOf(node).some(drawsNumbers));
