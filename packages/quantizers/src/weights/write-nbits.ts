import { createNode, int, type Node, tensor, type ValueId } from '@espalier/core';
import { type MatrixWeights, matrixWeights } from '../matrix-weights.js';
import { biasNode } from './bias-node.js';
import { blockWeights, nBitsLayout } from './block-weights.js';
import type { WeightsWriting } from './weights-writing.js';

/** MatMul or Gemm as com.microsoft::MatMulNBits, with an Add for the bias. */
export function writeNBits(writing: WeightsWriting, node: Node): void {
  const { graph, writer, settings } = writing;
  const matrix = matrixWeights(graph, node);
  const constants = writing.made(matrix.tensor, `nbits|${matrix.key}`, () => nBitsConstants(writing, matrix));
  const output = node.outputs[0]!;
  const product = matrix.bias ? writer.fresh(`${output}_product`) : output;
  writer.emit(
    createNode({
      id: node.id,
      op: 'com.microsoft::MatMulNBits',
      inputs: [node.inputs[0], ...constants],
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
  if (matrix.bias) writer.emit(biasNode(writing, node, { product, bias: matrix.bias }));
}

function nBitsConstants({ writer, settings, replaced }: WeightsWriting, matrix: MatrixWeights): readonly ValueId[] {
  const { bits } = settings.grid;
  const weights = blockWeights(matrix.values, [matrix.rows, matrix.columns], settings);
  const { integers, scale, zeroPoint } = nBitsLayout(weights, settings.grid);
  const { columns, blocks, block } = weights;
  replaced.add(matrix.name);
  return [
    writer.constant(`${matrix.name}_quantized`, tensor('uint8', [columns, blocks, (block * bits) / 8], integers)),
    writer.constant(`${matrix.name}_scale`, tensor('float32', [columns, blocks], scale)),
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
