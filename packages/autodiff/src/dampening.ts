import {
  type Graph,
  type GraphBuilder,
  indexOf,
  int,
  intOf,
  longs,
  scalar,
  tensorInfo,
  textOf,
  type ValueId,
} from '@espalier/core';
import type { Parameter } from './parameters-of.js';

/**
 * The gradient of the dampening loss λ Σ (clip(w) - ŵ)² of a weight w that is quantized to ŵ: 2 λ (w - ŵ) where w is
 * within half a step of ŵ, and 0 where it is clipped. It holds weights near the middle of their bins, between which
 * they would swing otherwise (Nagel et al. 2022, arXiv 2203.11086, eq. 9). Undefined for what is not quantized.
 * For w = 0.3, ŵ = 0.25, s = 0.25 and λ = 1 it is 0.1.
 */
export function dampeningGradient(
  b: GraphBuilder,
  graph: Graph,
  { parameter, strength }: { readonly parameter: Parameter; readonly strength: number },
): ValueId | undefined {
  const { value, role, tensor } = parameter;
  const reader = indexOf(graph)
    .uses.get(value)
    ?.find(({ node, slot }) => slot === 0 && isOnWeights(node));
  if (role !== 'weight' || !reader) return undefined;
  const [, scale] = reader.node.inputs;
  const quantized = reader.node.outputs[0];
  if (scale === undefined || quantized === undefined) return undefined;
  const gap = b.add('Sub', [value, quantized]);
  const half = b.add('Mul', [
    along(b, graph, { scale, rank: tensor.shape.length, axis: intOf(reader.node, 'axis', 1) }),
    b.constant('half', scalar(0.5)),
  ]);
  const inside = b.add('LessOrEqual', [b.add('Abs', [gap]), half]);
  const pull = b.add('Mul', [gap, b.constant('dampening', scalar(2 * strength))]);
  return b.add('Mul', [pull, b.add('Cast', [inside], { attributes: { to: int(1) } })]);
}

const isOnWeights = (node: Graph['nodes'][number]): boolean =>
  node.op === 'espalier::FakeQuantize' && textOf(node, 'role', 'weight') === 'weight';

/** Scales beside their axis of the weight. */
function along(
  b: GraphBuilder,
  graph: Graph,
  { scale, rank, axis }: { readonly scale: ValueId; readonly rank: number; readonly axis: number },
): ValueId {
  const shape = tensorInfo(graph, scale)?.shape ?? [];
  if (shape.length === 0 || shape[0] === 1) return scale;
  const own = axis < 0 ? axis + rank : axis;
  const trailing = new Array<number>(rank - 1 - own).fill(1);
  return trailing.length === 0 ? scale : b.add('Reshape', [scale, b.constant('along', longs([-1, ...trailing]))]);
}
