import { definePlugin, type Graph } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { explainBatchNorms } from './explain-batch-norms.js';
import { foldBatchNorm } from './fold-batch-norm.js';
import { foldConstants } from './fold-constants.js';
import { inOrder, untilStable } from './in-order.js';
import { inlineFunctions } from './inline-functions.js';
import { mergeDuplicates } from './merge-duplicates.js';
import { normalizeGemm } from './normalize-gemm.js';
import { removeDeadNodes } from './remove-dead-nodes.js';
import { removeIdentity } from './remove-identity.js';
import { simplifyBodies } from './simplify-bodies.js';
import { stripMetadata } from './strip-metadata.js';

const once = inOrder(stripMetadata, inlineFunctions);

const rounds = inOrder(
  inferShapes,
  foldConstants,
  removeIdentity,
  mergeDuplicates,
  removeDeadNodes,
  normalizeGemm,
  foldBatchNorm,
);

/**
 * All lossless passes, with inferred shapes, again and again until nothing changes, in the bodies of If, Loop and Scan
 * too. Local functions are inlined first, and the debugging notes of exporters go.
 */
export function simplify(graph: Graph): Graph {
  return simplifyAll(once(graph));
}

function simplifyAll(graph: Graph): Graph {
  const simple = untilStable(rounds, { name: 'simplify', limit: graph.nodes.length + 20 })(graph);
  return simplifyBodies(simple, simplifyAll);
}

/** Runs all of them. */
export const simplifyPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'simplify',
  about: 'Infers shapes, folds constants and batch norms, and removes what does nothing, until nothing changes.',
  options: {},
  create: () =>
    Object.assign((graph: Graph) => simplify(graph), {
      explain: (_: Graph, after: Graph) => explainBatchNorms(after),
    }),
});
