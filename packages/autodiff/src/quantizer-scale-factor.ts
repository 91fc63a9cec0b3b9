import { floats, type Graph, type GraphBuilder, int, intOf, longs, tensorInfo, type ValueId } from '@espalier/core';
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

/**
 * The factor as a value. LSQ derives 1/√(N·Q) from a scale of 2 E|w|/√Q, for which it is about s/‖w‖: a scale then
 * moves by the same share of itself as the weights do of theirs. Finer scales, as 8 bits have, would move by many times
 * their size, so the factor of the scale of a weight is s/‖w‖ where that is smaller.
 */
export function scaleFactor(b: GraphBuilder, graph: Graph, parameter: Parameter): ValueId {
  const { node, value, tensor } = parameter;
  const most = b.constant('scale_factor', floats([quantizerScaleFactor(graph, parameter)], []));
  const weight = node.op === 'espalier::FakeQuantize' ? node.inputs[0] : undefined;
  const shape = graph.constants.get(weight ?? '')?.shape;
  if (weight === undefined || !shape || node.inputs[1] !== value) return most;
  const given = intOf(node, 'axis', 1);
  const own = given < 0 ? given + shape.length : given;
  const axes = shape.flatMap((_, axis) => (tensor.data.length > 1 && axis === own ? [] : [axis]));
  const square = b.add('ReduceSumSquare', [weight, b.constant('axes', longs(axes))], {
    attributes: { keepdims: int(0) },
  });
  const norm = b.add('Sqrt', [b.add('Max', [square, b.constant('least', floats([1e-30], []))])]);
  const size =
    tensor.shape.length === 1 && tensor.data.length === 1
      ? b.add('Unsqueeze', [norm, b.constant('axes', longs([0]))])
      : norm;
  return b.add('Min', [b.add('Div', [value, size]), most]);
}
