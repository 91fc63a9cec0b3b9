import { definePlugin, type Graph } from '@espalier/core';
import { foldAhead } from './affine/fold-ahead.js';
import { foldBack } from './affine/fold-back.js';
import { explainBatchNorms } from './explain-batch-norms.js';
import { inOrder, untilStable } from './in-order.js';

/**
 * Folds batch normalisation in inference form, y = gamma (x - mean) / sqrt(variance + epsilon) + beta, into the
 * weights of a neighbour: the Conv, ConvTranspose (both grouped or not), Gemm or MatMul (+ Add) before it, else the
 * Conv, Gemm or MatMul after it where that is exact. Mul, Div, Add and Sub by per-channel constants after such a node
 * fold the same way. Identity and Dropout in between do not matter. Factors are composed in float64 and each weight
 * is rounded once, so the change per weight is at most half a unit in its last place.
 *
 * A value that others read too, or that the graph returns, keeps its meaning: nothing is folded across it. A weight
 * that several nodes share is copied for the one that changes. What stays is listed by `explainBatchNorms`.
 */
export function foldBatchNorm(graph: Graph): Graph {
  // Every round removes a node, so there are never more rounds than nodes.
  return untilStable(inOrder(foldBack, foldAhead), { name: 'fold-batchnorm', limit: graph.nodes.length + 2 })(graph);
}

/** Notes on the batch norms that stay. */
const explained = (_: Graph, after: Graph) => explainBatchNorms(after);

/** Folds batch norms. */
export const foldBatchNormPass = /* @__PURE__ */ definePlugin({
  kind: 'pass',
  id: 'fold-batchnorm',
  about: 'Folds batch norms and per-channel factors into the weights of the layer before or after them.',
  options: {},
  create: () => Object.assign((graph: Graph) => foldBatchNorm(graph), { explain: explained }),
});
