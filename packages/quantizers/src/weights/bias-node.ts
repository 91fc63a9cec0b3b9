import { createNode, type Node, tensor, toFloats, type ValueId } from '@espalier/core';
import type { MatrixWeights } from '../matrix-weights.js';
import type { WeightsWriting } from './weights-writing.js';

/** The Add that gives a Gemm its bias, with the factor worked into a constant one. */
export function biasNode(
  { graph, writer, replaced }: WeightsWriting,
  node: Node,
  { product, bias }: { readonly product: ValueId; readonly bias: NonNullable<MatrixWeights['bias']> },
): Node {
  const constant = graph.constants.get(bias.value);
  let operand = bias.value;
  if (constant && bias.factor !== 1) {
    const values = toFloats(constant).map((value) => value * bias.factor);
    operand = writer.constant(`${bias.value}_added`, tensor('float32', constant.shape, values));
    replaced.add(bias.value);
  }
  return createNode({
    id: writer.fresh(`${node.id}_Add`),
    op: 'Add',
    inputs: [product, operand],
    outputs: [node.outputs[0]],
  });
}
