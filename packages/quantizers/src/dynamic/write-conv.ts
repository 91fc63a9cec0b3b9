import { createNode, type Node, reshaped, toFloats } from '@espalier/core';
import { perChannel, perTensor } from '../granularity.js';
import { storageOf } from '../grid.js';
import { quantizeTensor } from '../quantize-tensor.js';
import { roundedChannels } from '../rounded/rounded-channels.js';
import { scaleConstants } from '../scale-constants.js';
import { scalesOf } from '../scales.js';
import { weightRanges } from '../weight-ranges.js';
import { byChannel } from './dynamic-settings.js';
import { biasOperand, type DynamicWriting, quantizedActivation, restoreSums } from './dynamic-writing.js';

/** Conv as DynamicQuantizeLinear -> ConvInteger -> Cast -> Mul (-> Add); scales and bias have shape [C, 1, ...]. */
export function writeConv(writing: DynamicWriting, node: Node): void {
  const { graph, writer, settings, replaced } = writing;
  const name = node.inputs[1]!;
  const weight = graph.constants.get(name)!;
  const grid = settings.weights;
  const channelwise = byChannel(settings, 'ConvInteger');
  const granularity = channelwise ? perChannel(0) : perTensor;
  const ranges = weightRanges(toFloats(weight), weight.shape, { grid, granularity, clip: settings.clip })!; // finite: checked before
  const covering = scalesOf(ranges, grid);
  const rounded = roundedChannels(graph, node, { grid, scales: covering, round: writing.round });
  const scales = rounded?.scales ?? covering;
  const integers = rounded?.integers ?? quantizeTensor(weight, { grid, granularity, scales });
  const channels = weight.shape[0]!;
  const ones = weight.shape.slice(2).map(() => 1);
  const { scale, zeroPoint } = scaleConstants(scales, channelwise ? [channels] : [], storageOf(grid));
  // ConvInteger takes one zero point for all channels; a symmetric grid has the same in each.
  const shared = channelwise ? scaleConstants(scalesOf([ranges[0]!], grid), [], storageOf(grid)).zeroPoint : zeroPoint;
  const activation = quantizedActivation(writing, node.inputs[0]!);
  const output = node.outputs[0]!;
  const product = node.inputs[2] === undefined ? output : writer.fresh(`${output}_product`);
  const sums = writer.fresh(`${output}_sums`);
  const weightScale = writer.constant(`${name}_scale`, channelwise ? reshaped(scale, [channels, ...ones]) : scale);
  writer.emit(
    createNode({
      id: node.id,
      op: 'ConvInteger',
      inputs: [
        activation.integers,
        writer.constant(`${name}_quantized`, integers),
        activation.zeroPoint,
        writer.constant(`${name}_zero_point`, shared),
      ],
      outputs: [sums],
      attributes: Object.fromEntries(node.attributes),
    }),
    ...restoreSums(writer, { sums, activation, weightScale, output: product }),
  );
  replaced.add(name);
  if (node.inputs[2] !== undefined) {
    const bias = biasOperand(writing, { value: node.inputs[2], factor: 1, shape: [channels, ...ones] });
    writer.emit(
      createNode({ id: writer.fresh(`${node.id}_Add`), op: 'Add', inputs: [product, bias], outputs: [output] }),
    );
  }
}
