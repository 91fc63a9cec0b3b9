import type { Graph } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import {
  foldConstants,
  inOrder,
  mergeDuplicates,
  normalizeGemm,
  removeDeadNodes,
  removeIdentity,
  untilStable,
} from '@espalier/passes';
import { separateVectors } from './separate-vectors.js';

// All of `simplify` but the folding of batch norms, which scores and re-estimation want to see.
const rounds = inOrder(inferShapes, foldConstants, removeIdentity, mergeDuplicates, removeDeadNodes, normalizeGemm);
const prepared = new WeakMap<Graph, Graph>();

/**
 * The graph as pruning sees it, losslessly folded; found once per graph object, and the same object when it is given
 * itself. Calibration for needs of pruners runs on either: values and nodes keep their names.
 */
export function prepareStructured(graph: Graph): Graph {
  let ready = prepared.get(graph);
  if (!ready) {
    ready = separateVectors(untilStable(rounds, { name: 'prune-structured', limit: graph.nodes.length + 20 })(graph));
    prepared.set(graph, ready);
    prepared.set(ready, ready);
  }
  return ready;
}
