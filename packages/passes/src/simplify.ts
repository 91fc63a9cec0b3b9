import { definePlugin, type Graph } from '@espalier/core';
import { inferShapes } from '@espalier/ops';
import { foldBatchNorm } from './fold-batch-norm.js';
import { foldConstants } from './fold-constants.js';
import { inOrder, untilStable } from './in-order.js';
import { inlineFunctions } from './inline-functions.js';
import { mergeDuplicates } from './merge-duplicates.js';
import { normalizeGemm } from './normalize-gemm.js';
import { removeDeadNodes } from './remove-dead-nodes.js';
import { removeIdentity } from './remove-identity.js';
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
 * All lossless passes, with inferred shapes, again and again until nothing changes. Local functions are inlined first,
 * and the debugging notes of exporters go.
 */
export function simplify(graph: Graph): Graph {
  const plain = once(graph);
  return untilStable(rounds, { name: 'simplify', limit: plain.nodes.length + 20 })(plain);
}

/** Runs all of them. */
export const simplifyPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'simplify',
  about: 'Infers shapes, folds constants and batch norms, and removes what does nothing, until nothing changes.',
  options: {},
  create: () => simplify,
});
