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

/**
 * The graph as pruning sees it, losslessly folded. Values and nodes keep their names; the same object comes back when
 * it is given itself.
 */
export const prepareStructured = (graph: Graph): Graph =>
  separateVectors(untilStable(rounds, { name: 'prune-structured', limit: graph.nodes.length + 20 })(graph));
