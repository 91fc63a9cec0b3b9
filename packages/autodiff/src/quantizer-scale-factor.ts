import { type Graph, intOf, tensorInfo } from '@espalier/core';
import { gridOf } from '@espalier/passes';
import type { Parameter } from './parameters-of.js';

/**
 * The factor that LSQ puts on the gradient of a quantizer's scale: 1/√(N·Q), with N the elements that share the scale
 * (features only: a batch axis of unknown size counts as 1) and Q the highest code (Esser et al. 2020,
 * arXiv 1902.08153, section 2.2). For 36 weights in 4 bits it is 1/√(36·7).
 * It is 1 for quantizers that learn their range too, whose step has no fixed highest code.
 */
export function quantizerScaleFactor(graph: Graph, { node, tensor }: Parameter): number {
  if (node.op !== 'espalier::FakeQuantize') return 1;
  const shape = tensorInfo(graph, node.inputs[0] ?? '')?.shape ?? [];
  const axis = intOf(node, 'axis', 1);
  const single = tensor.data.length === 1;
  const own = axis < 0 ? axis + shape.length : axis;
  const count = shape.reduce<number>(
    (n, dim, i) => (typeof dim === 'number' && (single || i !== own) ? n * dim : n),
    1,
  );
  return 1 / Math.sqrt(count * Math.max(1, gridOf(node).high));
}
