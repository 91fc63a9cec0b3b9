import { type Graph, subgraphsOf } from '@espalier/core';

/** Whether a graph holds float16 constants, in its bodies too. */
export const hasHalfConstants = (graph: Graph): boolean =>
  [...graph.constants.values()].some(({ dtype }) => dtype === 'float16') ||
  graph.nodes.some((node) => subgraphsOf(node).some(hasHalfConstants));
