import { definePlugin, editGraph, matchNames, problem, tensor, usesOf } from '@espalier/core';
import { isRefusal, layerOf } from '@espalier/ops';
import { rowOf, smallestRows } from './row-scores.js';

/** @import { CompressorContext, Evidence, Graph, Note, PruneTarget, Tensor, WeightScorer } from '@espalier/core' */

/**
 * A weight whose rows may go.
 * @typedef {PruneTarget & { readonly axis: number, readonly weight: Tensor<'float32'> }} RowTarget
 */

/** Sets whole rows of weights to zero: all weights of an output together. */
export const rows = definePlugin({
  kind: 'pruning',
  id: 'rows',
  about: 'Sets whole rows of weights to zero, those with the smallest sums of scores.',
  options: {
    pruner: { type: 'plugin', kind: 'pruner', default: 'magnitude', about: 'the scores of weights' },
    sparsity: { type: 'number', min: 0, max: 1, about: 'share of the rows of each layer that become zero' },
    ignore: { type: 'texts', default: [], about: 'patterns of node ids to leave as they are (* and ?)' },
  },
  create: ({ pruner, sparsity, ignore }) => {
    if (!pruner.score) {
      throw problem('PRUNE_SCORER', {
        where: 'pruning rows',
        expected: 'a pruner that scores single weights',
        found: 'one that scores whole units only',
        fix: 'Use magnitude.',
      });
    }
    return (graph, context) => {
      const { targets, notes } = findRows(graph, matchNames(ignore), context);
      return {
        graph,
        needs: pruner.needs(graph, targets),
        apply: (evidence) => zeroRows({ graph, targets, notes, pruner, sparsity }, evidence),
      };
    };
  },
});

/**
 * Weights of layers with one axis of outputs, each once; a note says why a weight is left.
 * @param {Graph} graph
 * @param {(name: string) => boolean} ignored
 * @param {CompressorContext} [context]
 */
function findRows(graph, ignored, { axes } = {}) {
  /** @type {RowTarget[]} */
  const targets = [];
  /** @type {Note[]} */
  const notes = [];
  for (const node of graph.nodes) {
    const layer = layerOf(graph, node, axes);
    if (isRefusal(layer)) continue;
    for (const { value, outputs } of layer.weights) {
      const weight = graph.constants.get(value);
      const keep = (/** @type {string} */ reason) =>
        notes.push({ node: node.id, op: node.op, value, outcome: 'kept', reason });
      if (ignored(node.id)) keep('A pattern of `ignore` names it.');
      else if (usesOf(graph, value).length > 1) keep('Its weight is read more than once.');
      else if (outputs.length !== 1) keep('Its weight has no single axis of outputs.');
      else if (weight?.dtype !== 'float32') keep('Its weight is not float32.');
      else targets.push({ value, weight, node: node.id, op: node.op, axis: outputs[0] });
    }
  }
  return { targets, notes };
}

/**
 * @param {{ graph: Graph, targets: readonly RowTarget[], notes: readonly Note[], pruner: WeightScorer, sparsity: number }} plan
 * @param {Evidence} evidence
 */
function zeroRows({ graph, targets, notes, pruner, sparsity }, evidence) {
  const draft = editGraph(graph);
  /** @type {Note[]} */
  const pruned = [];
  for (const target of targets) {
    const { value, weight, axis, node, op } = target;
    const { shape } = weight;
    const gone = smallestRows(pruner.score(target, evidence), { shape, axis, sparsity });
    const row = rowOf(shape, axis);
    if (gone.size > 0)
      draft.setConstant(
        value,
        tensor(
          'float32',
          shape,
          weight.data.map((x, i) => (gone.has(row(i)) ? 0 : x)),
        ),
      );
    pruned.push({ node, op, value, outcome: 'pruned', reason: `${gone.size} of ${shape[axis]} rows are zero.` });
  }
  return { graph: draft.finish(), notes: [...pruned, ...notes] };
}
