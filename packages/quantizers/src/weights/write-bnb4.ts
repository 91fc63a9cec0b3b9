import { createNode, int, type Node, tensor, type ValueId } from '@espalier/core';
import { type CodebookName, codebooks, toCodebook } from '../codebook.js';
import { type MatrixWeights, matrixWeights, transposed } from '../matrix-weights.js';
import { biasNode } from './bias-node.js';
import type { WeightsWriting } from './weights-writing.js';

/** The number by which the op knows a codebook. */
const types: Readonly<Record<CodebookName, number>> = { fp4: 0, nf4: 1 };

/**
 * MatMul or Gemm as com.microsoft::MatMulBnb4, with an Add for the bias. The matrix is one flat list [outputs, inputs]
 * cut into blocks that may cross rows; of two codes in a byte the first takes the high bits.
 */
export function writeBnb4(writing: WeightsWriting, node: Node, codebook: CodebookName): void {
  const { graph, writer, settings } = writing;
  const matrix = matrixWeights(graph, node);
  const key = `${codebook}|${matrix.key}`;
  const constants = writing.made(matrix.tensor, key, () => bnb4Constants(writing, matrix, codebook));
  const output = node.outputs[0]!;
  const product = matrix.bias ? writer.fresh(`${output}_product`) : output;
  writer.emit(
    createNode({
      id: node.id,
      op: 'com.microsoft::MatMulBnb4',
      inputs: [node.inputs[0], ...constants],
      outputs: [product],
      attributes: {
        K: int(matrix.rows),
        N: int(matrix.columns),
        block_size: int(settings.block),
        quant_type: int(types[codebook]),
      },
    }),
  );
  if (matrix.bias) writer.emit(biasNode(writing, node, { product, bias: matrix.bias }));
}

function bnb4Constants(
  { writer, settings, replaced }: WeightsWriting,
  { name, values, rows, columns }: MatrixWeights,
  codebook: CodebookName,
): readonly ValueId[] {
  const flat = transposed(values, rows, columns);
  const { codes, scale } = toCodebook(flat, { ...settings, codebook: codebooks[codebook] });
  replaced.add(name);
  return [
    writer.constant(`${name}_quantized`, tensor('uint8', [Math.ceil(codes.length / 2)], highFirst(codes))),
    writer.constant(`${name}_scale`, tensor('float32', [scale.length], scale)),
  ];
}

function highFirst(codes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(codes.length / 2));
  for (let i = 0; i < codes.length; i++) out[i >> 1]! |= i % 2 === 0 ? codes[i]! << 4 : codes[i]!;
  return out;
}
