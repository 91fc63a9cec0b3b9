import { createNode, int, type Node, toFloats, type ValueId } from '@espalier/core';
import { type Granularity, perBlock, perChannel, scaleLayout } from '../granularity.js';
import { storageOf } from '../grid.js';
import { matrixWeights } from '../matrix-weights.js';
import { codesTensor, quantizeTensor } from '../quantize-tensor.js';
import type { GridChoice } from '../rounded/round-node.js';
import { type RoundedChannels, roundedChannels } from '../rounded/rounded-channels.js';
import { scaleConstants } from '../scale-constants.js';
import { weightScales } from '../weight-scales.js';
import { biasNode } from './bias-node.js';
import { blockWeights } from './block-weights.js';
import type { WeightsWriting } from './weights-writing.js';

/** MatMul or Gemm whose matrix [inputs, outputs] comes from a blocked DequantizeLinear (opset 21, axis 0). */
export function writeBlockedMatMul(writing: WeightsWriting, node: Node): void {
  const { graph, writer, settings } = writing;
  const matrix = matrixWeights(graph, node);
  const shape = [matrix.rows, matrix.columns] as const;
  const granularity = perBlock(0, settings.block);
  const restored = writeRestored(writing, {
    key: `matrix|${matrix.key}`,
    name: matrix.name,
    shape,
    granularity,
    quantized() {
      const round = (choice: GridChoice) => writing.round(graph, node, choice);
      const { codes, scales } = blockWeights(matrix.values, shape, { ...settings, round });
      return { integers: codesTensor(codes, shape, settings.grid), scales };
    },
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
  const granularity = perChannel(0);
  const { grid, clip } = writing.settings;
  const restored = writeRestored(writing, {
    key: 'conv',
    name,
    shape: weight.shape,
    granularity,
    quantized() {
      const scales = weightScales(toFloats(weight), weight.shape, { grid, granularity, clip })!; // finite: checked before
      const choice = { grid, scales, round: writing.round, negative: grid.symmetric };
      const rounded = roundedChannels(writing.graph, node, choice);
      return rounded ?? { integers: quantizeTensor(weight, { grid, granularity, scales }), scales };
    },
  });
  writing.writer.emit({ ...node, inputs: [node.inputs[0], restored, ...node.inputs.slice(2)] });
}

interface Restored {
  /** The part of the constant that is restored. */
  readonly key: string;
  readonly name: ValueId;
  readonly shape: readonly number[];
  readonly granularity: Exclude<Granularity, { per: 'tensor' }>;
  /** The integers to store, and their scales. */
  quantized(): RoundedChannels;
}

function writeRestored(writing: WeightsWriting, wish: Restored): ValueId {
  const { key, name, shape, granularity } = wish;
  const { writer, replaced, restored } = writing;
  const known = restored.get(`${key}|${name}`);
  if (known !== undefined) return known;
  const output = writer.fresh(`${name}_dequantized`);
  writer.info(output, { dtype: 'float32', shape });
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

function storedConstants({ writer, settings }: WeightsWriting, { name, shape, granularity, quantized }: Restored) {
  const { integers, scales } = quantized();
  const places = scaleLayout(shape, granularity).shape;
  const { scale, zeroPoint } = scaleConstants(scales, places, storageOf(settings.grid));
  return [
    writer.ownConstant(`${name}_quantized`, integers),
    writer.ownConstant(`${name}_scale`, scale),
    writer.ownConstant(`${name}_zero_point`, zeroPoint),
  ];
}
