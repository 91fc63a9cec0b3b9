import { type Graph, intOf, type Node, type Tensor, tensor, toFloats, type ValueId } from '@espalier/core';
import { isFiniteTensor } from '../finite-tensor.js';
import { perChannel } from '../granularity.js';
import { storageOf } from '../grid.js';
import { transposed } from '../matrix-weights.js';
import { quantizeToCodes } from '../quantize-tensor.js';
import { scaleConstants } from '../scale-constants.js';
import { scalesOf } from '../scales.js';
import { weightRanges } from '../weight-ranges.js';
import { byChannel, type DynamicSettings } from './dynamic-settings.js';
import type { DynamicWriting } from './dynamic-writing.js';

/** Attributes of the integer LSTM; `layout`, which newer exporters write at its default, is none of them. */
const attributes: ReadonlySet<string> = new Set([
  'activation_alpha',
  'activation_beta',
  'activations',
  'clip',
  'direction',
  'hidden_size',
  'input_forget',
]);

/** Why an LSTM cannot become com.microsoft::DynamicQuantizeLSTM; undefined when it can. */
export function lstmObstacle(graph: Graph, node: Node): string | undefined {
  if (intOf(node, 'layout', 0) !== 0) return 'the integer LSTM knows only the time-first layout';
  for (const slot of [1, 2]) {
    const weight = graph.constants.get(node.inputs[slot] ?? '');
    if (!weight) return 'its weights are computed at run time';
    if (weight.dtype !== 'float32') return `its weights are ${weight.dtype}, not float32`;
    if (weight.shape.length !== 3) return 'its weights do not have three axes';
    if (!isFiniteTensor(weight)) return 'its weights hold NaN or infinity';
  }
  return undefined;
}

/**
 * LSTM as com.microsoft::DynamicQuantizeLSTM: W [directions, 4 hidden, inputs] and R are stored transposed as integers
 * [directions, inputs, 4 hidden], with scales [directions, 4 hidden] per channel or [directions], zero points beside them.
 */
export function writeLstm(writing: DynamicWriting, node: Node): void {
  const { writer, replaced } = writing;
  const [w, r] = [packed(writing, node.inputs[1]!), packed(writing, node.inputs[2]!)];
  const middle = Array.from({ length: 5 }, (_, i) => node.inputs[i + 3]);
  writer.emit({
    ...node,
    op: 'com.microsoft::DynamicQuantizeLSTM',
    attributes: new Map([...node.attributes].filter(([name]) => attributes.has(name))),
    inputs: [node.inputs[0], w.integers, r.integers, ...middle, w.scale, w.zeroPoint, r.scale, r.zeroPoint],
  });
  replaced.add(node.inputs[1]!);
  replaced.add(node.inputs[2]!);
}

function packed({ graph, writer, settings, made }: DynamicWriting, name: ValueId) {
  const weight = graph.constants.get(name)!;
  const [integers, scale, zeroPoint] = made(weight, 'lstm', () => {
    const parts = quantizeDirections(weight, settings);
    return [
      writer.constant(`${name}_quantized`, parts.integers),
      writer.constant(`${name}_scale`, parts.scale),
      writer.constant(`${name}_zero_point`, parts.zeroPoint),
    ];
  });
  return { integers, scale, zeroPoint };
}

function quantizeDirections(weight: Tensor, settings: DynamicSettings) {
  const { weights: grid, clip } = settings;
  const channels = byChannel(settings, 'com.microsoft::DynamicQuantizeLSTM');
  const [directions, gates, inputs] = weight.shape as readonly [number, number, number];
  const flat = [directions * gates, inputs];
  // Rows are gates of all directions: one scale per row, or one per direction.
  const shape = channels ? flat : [directions, gates * inputs];
  const granularity = perChannel(0);
  const values = toFloats(weight);
  const scales = scalesOf(weightRanges(values, shape, { grid, granularity, clip })!, grid); // finite: checked before
  const codes = quantizeToCodes(values, shape, { grid, granularity, scales }) as Int8Array | Uint8Array; // 8 bits at most
  const integers = codes.slice();
  for (let d = 0; d < directions; d++) {
    const size = gates * inputs;
    integers.set(transposed(codes.subarray(d * size, (d + 1) * size), gates, inputs), d * size);
  }
  const scaleShape = channels ? [directions, gates] : [directions];
  return {
    integers:
      integers instanceof Int8Array
        ? tensor('int8', [directions, inputs, gates], integers)
        : tensor('uint8', [directions, inputs, gates], integers),
    ...scaleConstants(scales, scaleShape, storageOf(grid)),
  };
}
