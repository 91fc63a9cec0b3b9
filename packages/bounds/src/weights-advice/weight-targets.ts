import { type Graph, type Use, usesOf, type ValueId } from '@espalier/core';
import { isRefusal, operandsOf, parametersOf, weightOf } from '@espalier/ops';
import { type ChannelRows, channelRows } from './channel-rows.js';

/** A weight tensor of a graph, and the node that reads it. */
export interface WeightTarget {
  readonly weight: ValueId;
  readonly node: string;
  readonly op: string;
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly count: number;
  /** Its elements, a row for each output channel; made when asked for. */
  readonly rows: () => ChannelRows;
}

/**
 * Every weight of a graph with two axes or more, in the order of its constants. Integers that a reader dequantizes
 * count as the real numbers they stand for.
 */
export function weightTargets(graph: Graph): readonly WeightTarget[] {
  const targets: WeightTarget[] = [];
  for (const [weight, { shape }] of graph.constants) {
    const count = parametersOf(graph, weight);
    const use = usesOf(graph, weight)[0];
    if (!use || count === 0 || shape.filter((dim) => dim > 1).length < 2) continue;
    const { id: node, op } = use.node;
    targets.push({ weight, node, op, shape, count, rows: () => rowsOf(graph, weight, use) });
  }
  return targets;
}

function rowsOf(graph: Graph, weight: ValueId, use: Use): ChannelRows {
  const real = weightOf(graph, weight)!; // the caller found the constant
  const values = real.values instanceof Float32Array ? real.values : Float32Array.from(real.values);
  return channelRows(values, { shape: real.shape, ...channelAxis(graph, use) });
}

/**
 * The axis of output channels; the first one where a weight has none (rows of tables that are looked up). Directions of
 * recurrent layers, which come before it, number channels too.
 */
export function channelAxis(graph: Graph, use: Use): { readonly axis: number; readonly lead?: number } {
  const layer = operandsOf(graph, use.node);
  const weight = isRefusal(layer) ? undefined : layer.weights.find(({ slot }) => slot === use.slot);
  const [axis] = weight?.outputs ?? [];
  if (isRefusal(layer) || !weight || axis === undefined || weight.sums.length === 0) return { axis: 0 };
  return layer.kind === 'recurrent' ? { axis, lead: weight.stacked.length } : { axis };
}
