import type { Evidence, Graph, Need, Node } from '@espalier/core';
import { evidenceMissing } from '../errors.js';
import { matrixWeights } from '../matrix-weights.js';
import type { BlockRounding } from './block-weights.js';
import type { WeightsSettings } from './weights-settings.js';

type GramNeed = Need & { readonly statistic: 'gram' };

/** The statistic that a rounding needs of a node with a matrix on the right; undefined where it needs none. */
export function roundingNeed(graph: Graph, node: Node, { rounding }: WeightsSettings): GramNeed | undefined {
  if (!rounding || rounding.dataFree || matrixWeights(graph, node).data !== 0) return undefined;
  return { statistic: 'gram', node: node.id };
}

/** The rounding of a node with its inputs; undefined for the nearest. Within subgraphs nothing is calibrated. */
export function roundingOf(
  {
    graph,
    settings,
    evidence,
    inBody,
  }: {
    readonly graph: Graph;
    readonly settings: WeightsSettings;
    readonly evidence: Evidence;
    readonly inBody: boolean;
  },
  node: Node,
): BlockRounding | undefined {
  const { rounding } = settings;
  if (!rounding) return undefined;
  if (rounding.dataFree) return { round: rounding, gram: new Float64Array() };
  const need = roundingNeed(graph, node, settings);
  if (!need || inBody) return undefined;
  const gram = evidence.find(need);
  if (!gram) throw evidenceMissing(node.id, 'gram matrix');
  return { round: rounding, gram: gram.sum };
}
