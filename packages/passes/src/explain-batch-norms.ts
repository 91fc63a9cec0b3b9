import type { Graph, Note } from '@espalier/core';
import { refusalAhead } from './affine/fold-ahead.js';
import { refusalBack } from './affine/fold-back.js';

/** One note per batch norm that `foldBatchNorm` would leave in the graph, with the reason in both directions. */
export function explainBatchNorms(graph: Graph): readonly Note[] {
  return graph.nodes.flatMap((node): readonly Note[] => {
    if (node.op !== 'BatchNormalization') return [];
    const back = refusalBack(graph, node);
    const ahead = refusalAhead(graph, node);
    if (back === undefined || ahead === undefined) return [];
    const reason = back === ahead ? `Not folded: ${back}.` : `Not folded: ${back}; and ${ahead}.`;
    return [{ node: node.id, op: node.op, outcome: 'kept', reason }];
  });
}
