import { type Graph, type Use, usesOf, type ValueId } from '@espalier/core';
import { parametersOf, weightOf } from '@espalier/ops';
import { isWeighted, outputAxis } from '@espalier/quantizers';
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
  return channelRows(values, { shape: real.shape, ...channelAxis(use, real.shape.length) });
}

/** Recurrent weights have directions first, then the rows of their gates. */
const recurrent: ReadonlySet<string> = new Set(['LSTM', 'GRU', 'RNN']);

/** The axis of output channels: as quantizers see it, rows of gates in recurrent layers, the first one elsewhere. */
export function channelAxis({ node, slot }: Use, rank: number): { readonly axis: number; readonly lead?: number } {
  if (recurrent.has(node.op) && rank === 3) return { axis: 1, lead: 1 };
  if (node.op === 'MatMul' && slot === 0) return { axis: Math.max(0, rank - 2) };
  return { axis: isWeighted(node.op) ? outputAxis({ ...node, op: node.op }, rank) : 0 };
}
