import {
  createNode,
  type Graph,
  int,
  intOf,
  isFloat,
  isInteger,
  type Node,
  type Tensor,
  usesOf,
  type ValueId,
} from '@espalier/core';
import { evaluateNode } from '@espalier/ops';

/** Where an op that reads codes has their scale and zero point, and along which axis those lie. */
interface Decoder {
  readonly slot: number;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly axis: (node: Node, rank: number) => number;
}

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['DequantizeLinear', { slot: 0, scale: 1, zeroPoint: 2, axis: (node) => intOf(node, 'axis', 1) }],
  ['QLinearConv', { slot: 3, scale: 4, zeroPoint: 5, axis: () => 0 }],
  ['com.microsoft::QLinearConv', { slot: 3, scale: 4, zeroPoint: 5, axis: () => 0 }],
  ['QLinearMatMul', { slot: 3, scale: 4, zeroPoint: 5, axis: (_, rank) => rank - 1 }],
]);

const known = new WeakMap<Graph, Map<ValueId, Tensor | undefined>>();

/** A weight as real numbers, for scores: itself, or what its codes stand for; undefined where that is not known. */
export function realWeight(graph: Graph, value: ValueId): Tensor | undefined {
  const constant = graph.constants.get(value);
  if (!constant || isFloat(constant.dtype)) return constant;
  if (!isInteger(constant.dtype)) return undefined;
  const found = known.get(graph) ?? new Map<ValueId, Tensor | undefined>();
  known.set(graph, found);
  if (!found.has(value)) found.set(value, decoded(graph, value, constant));
  return found.get(value);
}

function decoded(graph: Graph, value: ValueId, codes: Tensor): Tensor | undefined {
  for (const { node, slot } of usesOf(graph, value)) {
    const decoder = decoders.get(node.op);
    if (decoder?.slot !== slot) continue;
    const constant = (at: number) => {
      const name = node.inputs[at];
      return name === undefined ? undefined : graph.constants.get(name);
    };
    const scale = constant(decoder.scale);
    if (!scale) continue;
    const attributes = {
      axis: int(decoder.axis(node, codes.shape.length)),
      block_size: int(intOf(node, 'block_size', 0)),
    };
    const read = createNode({
      id: 'read',
      op: 'DequantizeLinear',
      inputs: ['x', 's', 'z'],
      outputs: ['y'],
      attributes,
    });
    const inputs = [codes, scale, constant(decoder.zeroPoint)];
    return evaluateNode(read, { inputs, opset: Math.max(13, graph.opsets.get('') ?? 0) })?.[0];
  }
  return undefined;
}
