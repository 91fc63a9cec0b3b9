import { floatOf, type Graph, type Node, toNumbers, usesOf } from '@espalier/core';
import type { StaticSettings } from './static-settings.js';

/**
 * The Relu, or Clip from 0, that alone reads a node's output. When the output grid's zero point is its lowest
 * integer, quantizing clips at 0 by itself: the runtime drops the activation and fuses node and QuantizeLinear.
 * Only asymmetric grids put the zero point there.
 */
export function findTail(graph: Graph, node: Node, settings: StaticSettings): Node | undefined {
  const output = node.outputs[0];
  if (settings.activations.symmetric || output === undefined || graph.outputs.includes(output)) return undefined;
  const uses = usesOf(graph, output);
  const [only] = uses;
  if (uses.length !== 1 || only === undefined || only.slot !== 0) return undefined;
  if (settings.leftOut(only.node.id, only.node.op) !== undefined) return undefined;
  if (!settings.target.integer.tails.includes(only.node.op)) return undefined;
  if (only.node.op === 'Relu') return only.node;
  return only.node.op === 'Clip' && clipsFromZero(graph, only.node) ? only.node : undefined;
}

function clipsFromZero(graph: Graph, clip: Node): boolean {
  const [, low, high] = clip.inputs;
  const bound = (value: string | undefined, attribute: string, open: number): number => {
    if (value === undefined) return floatOf(clip, attribute, open);
    const constant = graph.constants.get(value);
    return constant ? (toNumbers(constant)[0] ?? Number.NaN) : Number.NaN;
  };
  return bound(low, 'min', Number.NEGATIVE_INFINITY) === 0 && bound(high, 'max', Number.POSITIVE_INFINITY) > 0;
}
