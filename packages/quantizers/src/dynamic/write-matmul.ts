import { createNode, type Node, tensor, type ValueId } from '@espalier/core';
import { perChannel, perTensor } from '../granularity.js';
import { storageOf } from '../grid.js';
import { type MatrixWeights, matrixWeights } from '../matrix-weights.js';
import { quantizeTensor } from '../quantize-tensor.js';
import { scaleConstants } from '../scale-constants.js';
import { scalesOf } from '../scales.js';
import { weightRanges } from '../weight-ranges.js';
import { biasOperand, type DynamicWriting, quantizedActivation, restoreSums } from './dynamic-writing.js';

/**
 * MatMul or Gemm as DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul (-> Add), which onnxruntime fuses to
 * DynamicQuantizeMatMul. The weight is stored as [inputs, outputs] with one scale per output.
 */
export function writeMatMul(writing: DynamicWriting, node: Node): void {
  const { writer } = writing;
  const matrix = matrixWeights(writing.graph, node);
  const [integers, weightScale, zeroPoint] = matrixConstants(writing, matrix);
  const activation = quantizedActivation(writing, node.inputs[0]!);
  const output = node.outputs[0]!;
  const product = matrix.bias ? writer.fresh(`${output}_product`) : output;
  const sums = writer.fresh(`${output}_sums`);
  writer.emit(
    createNode({
      id: node.id,
      op: 'MatMulInteger',
      inputs: [activation.integers, integers, activation.zeroPoint, zeroPoint],
      outputs: [sums],
    }),
    ...restoreSums(writer, { sums, activation, weightScale: weightScale!, output: product }),
  );
  if (matrix.bias) {
    const bias = biasOperand(writing, matrix.bias);
    writer.emit(
      createNode({ id: writer.fresh(`${node.id}_Add`), op: 'Add', inputs: [product, bias], outputs: [output] }),
    );
  }
}

function matrixConstants(writing: DynamicWriting, matrix: MatrixWeights): readonly ValueId[] {
  const { writer, settings, replaced } = writing;
  const { name, rows, columns, values, key } = matrix;
  return writing.made(matrix.tensor, `matrix|${key}`, () => {
    const grid = settings.weights;
    const granularity = settings.perChannel ? perChannel(1) : perTensor;
    const shape = [rows, columns];
    const ranges = weightRanges(values, shape, { grid, granularity, clip: settings.clip })!; // finite: checked before
    const scales = scalesOf(ranges, grid);
    const { scale, zeroPoint } = scaleConstants(scales, settings.perChannel ? [columns] : [], storageOf(grid));
    const source = tensor('float32', shape, values);
    replaced.add(name);
    return [
      writer.constant(`${name}_quantized`, quantizeTensor(source, { grid, granularity, scales })),
      writer.constant(`${name}_scale`, scale),
      writer.constant(`${name}_zero_point`, zeroPoint),
    ];
  });
}
