import { createNode, int, type Node, type Tensor, tensor, toFloats, type ValueId } from '@espalier/core';
import { type Granularity, perBlock, perChannel, scaleLayout } from '../granularity.js';
import { storageOf } from '../grid.js';
import { matrixWeights } from '../matrix-weights.js';
import { quantizeTensor } from '../quantize-tensor.js';
import { scaleConstants } from '../scale-constants.js';
import { weightScales } from '../weight-scales.js';
import { biasNode } from './bias-node.js';
import type { WeightsWriting } from './weights-writing.js';

/** MatMul or Gemm whose matrix [inputs, outputs] comes from a blocked DequantizeLinear (opset 21, axis 0). */
export function writeBlockedMatMul(writing: WeightsWriting, node: Node): void {
  const { graph, writer, settings } = writing;
  const matrix = matrixWeights(graph, node);
  const shape = [matrix.rows, matrix.columns];
  const restored = writeRestored(writing, {
    key: `matrix|${matrix.key}`,
    name: matrix.name,
    source: tensor('float32', shape, matrix.values),
    granularity: perBlock(0, settings.block),
  });
  const output = node.outputs[0]!;
  const product = matrix.bias ? writer.fresh(`${output}_product`) : output;
  writer.emit(createNode({ id: node.id, op: 'MatMul', inputs: [node.inputs[0], restored], outputs: [product] }));
  if (matrix.bias) writer.emit(biasNode(writing, node, { product, bias: matrix.bias }));
}

/** Conv whose weights come from a DequantizeLinear with one scale per output channel. */
export function writeConvWeights(writing: WeightsWriting, node: Node): void {
  const name = node.inputs[1]!;
  const weight = writing.graph.constants.get(name)!;
  const restored = writeRestored(writing, {
    key: 'conv',
    name,
    source: weight,
    granularity: perChannel(0),
  });
  writing.writer.emit({ ...node, inputs: [node.inputs[0], restored, ...node.inputs.slice(2)] });
}

interface Restored {
  /** The part of the constant that is restored. */
  readonly key: string;
  readonly name: ValueId;
  /** The numbers to store. */
  readonly source: Tensor;
  readonly granularity: Exclude<Granularity, { per: 'tensor' }>;
}

function writeRestored(writing: WeightsWriting, wish: Restored): ValueId {
  const { key, name, source, granularity } = wish;
  const { writer, replaced, restored } = writing;
  const known = restored.get(`${key}|${name}`);
  if (known !== undefined) return known;
  const output = writer.fresh(`${name}_dequantized`);
  writer.info(output, { dtype: 'float32', shape: source.shape });
  writer.emit(
    createNode({
      id: writer.fresh(`${name}_DequantizeLinear`),
      op: 'DequantizeLinear',
      inputs: storedConstants(writing, wish),
      outputs: [output],
      attributes: {
        axis: int(granularity.axis),
        ...(granularity.per === 'block' ? { block_size: int(granularity.size) } : {}),
      },
    }),
  );
  restored.set(`${key}|${name}`, output);
  replaced.add(name);
  return output;
}

function storedConstants({ writer, settings }: WeightsWriting, { name, source, granularity }: Restored) {
  const { grid, clip } = settings;
  const scales = weightScales(toFloats(source), source.shape, { grid, granularity, clip })!; // finite: checked before
  const { scale, zeroPoint } = scaleConstants(scales, scaleLayout(source.shape, granularity).shape, storageOf(grid));
  return [
    writer.ownConstant(`${name}_quantized`, quantizeTensor(source, { grid, granularity, scales })),
    writer.ownConstant(`${name}_scale`, scale),
    writer.ownConstant(`${name}_zero_point`, zeroPoint),
  ];
}
