import { createNode, fromNumbers, int, ints, type Node, tensor, tensorInfo, type ValueId } from '@espalier/core';
import { type MatrixWeights, matrixWeights } from '../matrix-weights.js';
import { biasNode } from './bias-node.js';
import { blockWeights, nBitsLayout } from './block-weights.js';
import type { WeightsWriting } from './weights-writing.js';

/**
 * MatMul or Gemm as com.microsoft::MatMulNBits, with an Add for the bias. The op takes the matrix on the right alone:
 * W x is the transpose of x' W'.
 */
export function writeNBits(writing: WeightsWriting, node: Node): void {
  const { graph, writer, settings } = writing;
  const matrix = matrixWeights(graph, node);
  const constants = writing.made(matrix.tensor, `nbits|${matrix.key}`, () => nBitsConstants(writing, matrix, node));
  const output = node.outputs[0]!;
  const left = matrix.data === 1;
  const product = matrix.bias || left ? writer.fresh(`${output}_product`) : output;
  const data = left ? turn(writing, { value: node.inputs[1]!, node }) : node.inputs[0];
  writer.emit(
    createNode({
      id: node.id,
      op: 'com.microsoft::MatMulNBits',
      inputs: [data, ...constants],
      outputs: [product],
      attributes: {
        K: int(matrix.rows),
        N: int(matrix.columns),
        bits: int(settings.grid.bits),
        block_size: int(settings.block),
        ...(settings.accuracyLevel === 0 ? {} : { accuracy_level: int(settings.accuracyLevel) }),
      },
    }),
  );
  if (left) turn(writing, { value: product, node, output });
  if (matrix.bias) writer.emit(biasNode(writing, node, { product, bias: matrix.bias }));
}

function nBitsConstants(writing: WeightsWriting, matrix: MatrixWeights, node: Node): readonly ValueId[] {
  const { writer, settings, replaced } = writing;
  const { bits } = settings.grid;
  const weights = blockWeights(matrix.values, [matrix.rows, matrix.columns], {
    ...settings,
    round: (choice) => writing.round(writing.graph, node, choice),
  });
  const { integers, scale, zeroPoint } = nBitsLayout(weights, settings.grid);
  const { columns, blocks, block } = weights;
  replaced.add(matrix.name);
  return [
    writer.constant(`${matrix.name}_quantized`, tensor('uint8', [columns, blocks, (block * bits) / 8], integers)),
    writer.constant(`${matrix.name}_scale`, fromNumbers(matrix.tensor.dtype, [columns, blocks], scale)),
    ...(zeroPoint
      ? [
          writer.constant(
            `${matrix.name}_zero_point`,
            tensor('uint8', [columns, zeroPoint.length / columns], zeroPoint),
          ),
        ]
      : []),
  ];
}

/** The value with its last two axes exchanged, as many as the activation of the node has. */
function turn(
  { graph, writer }: WeightsWriting,
  { value, node, output }: { readonly value: ValueId; readonly node: Node; readonly output?: ValueId },
): ValueId {
  const rank = tensorInfo(graph, node.inputs[1]!)!.shape!.length; // known: asked for by the plan
  const perm = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  const turned = output ?? writer.fresh(`${value}_turned`);
  writer.emit(
    createNode({
      id: writer.fresh(`${turned}_Transpose`),
      op: 'Transpose',
      inputs: [value],
      outputs: [turned],
      attributes: { perm: ints(perm) },
    }),
  );
  return turned;
}
