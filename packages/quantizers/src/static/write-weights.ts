import {
  createNode,
  float,
  floatOf,
  type Graph,
  type IntegerKernel,
  int,
  intOf,
  type Node,
  reshaped,
  roundHalfEven,
  type Tensor,
  tensor,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { perChannel, perTensor } from '../granularity.js';
import { storageOf } from '../grid.js';
import type { MadeConstants } from '../made-constants.js';
import { quantizeTensor } from '../quantize-tensor.js';
import type { GraphWriter } from '../quantized-graph.js';
import { scaleConstants } from '../scale-constants.js';
import { type Scales, scalesOf } from '../scales.js';
import { createStoredWeights } from '../stored-weights.js';
import { isWeighted, outputAxis, scaleAxis, type WeightedOp } from '../weight-axis.js';
import { weightRanges } from '../weight-ranges.js';
import { isTable, tableMatrix, turnedTable } from '../write-rows.js';
import { isStored } from './is-stored.js';
import type { StaticSettings } from './static-settings.js';

/** Replaces the weights and biases of nodes by integers with a lone DequantizeLinear. */
export interface WeightWriter {
  /** A Conv, Gemm or MatMul on integers. */
  quantized(node: Node, use: KernelUse): Node;
  /** A node that computes in float with weights stored as integers; the node itself where it has none. */
  stored(node: Node): Node;
}

/** The kernel that reads a weight. */
export interface KernelUse {
  readonly kernel: IntegerKernel;
  /** The scale of the activation, where it has one. */
  readonly inputScale: number | undefined;
}

interface Written {
  readonly output: ValueId;
  readonly scales: Scales;
}

interface Tools {
  readonly graph: Graph;
  readonly writer: GraphWriter;
  readonly settings: StaticSettings;
  readonly replaced: Set<ValueId>;
  readonly known: Map<string, Written>;
  readonly made: MadeConstants;
  /** Weights that are stored tables with their axes exchanged. */
  readonly turned: ReadonlyMap<ValueId, ValueId>;
}

/** A writer that shares what several nodes read with equal scales, and duplicates what they read with others. */
export function createWeightWriter(graph: Graph, parts: Omit<Tools, 'graph' | 'known'>): WeightWriter {
  const tools: Tools = { graph, ...parts, known: new Map() };
  const stored = createStoredWeights(graph, { ...parts, ...parts.settings });
  return {
    quantized: (node, use) => (isWeighted(node.op) ? quantizedNode(tools, { ...node, op: node.op }, use) : node),
    stored: (node) => (isStored(graph, node, parts.settings) ? stored.write(node) : node),
  };
}

type Weighted = Node & { readonly op: WeightedOp };

function quantizedNode(tools: Tools, original: Weighted, use: KernelUse): Node {
  const { graph, settings, writer } = tools;
  const inputScale = settings.target.integer.bias === 'float' ? undefined : use.inputScale;
  const node = original.op === 'Gemm' ? withUnitFactors(original) : original;
  const bias = node.inputs[2] === undefined ? undefined : graph.constants.get(node.inputs[2]);
  const factors = original.op === 'Gemm' ? gemmFactors(original) : { alpha: 1, beta: 1 };
  const scaledBias = bias && scaledBy(toFloats(bias), factors.beta);
  const written = writeWeight(tools, node, {
    kernel: use.kernel,
    factor: factors.alpha,
    ...(scaledBias && inputScale !== undefined ? { bias: { values: scaledBias, inputScale } } : {}),
  });
  if (!written) return original;
  const result = withInput(node, 1, written.output);
  if (!scaledBias || (inputScale === undefined && factors.beta === 1)) return result;
  if (inputScale === undefined) {
    return withInput(result, 2, writer.constant(`${node.inputs[2]}_added`, tensor('float32', bias.shape, scaledBias)));
  }
  return withInput(result, 2, writeBias(tools, node, { bias: scaledBias, inputScale, scales: written.scales }));
}

const gemmFactors = (node: Node) => ({ alpha: floatOf(node, 'alpha', 1), beta: floatOf(node, 'beta', 1) });

// Integer kernels take no factors: they move into the weights and the bias.
function withUnitFactors(node: Weighted): Weighted {
  const { alpha, beta } = gemmFactors(node);
  if (alpha === 1 && beta === 1) return node;
  return { ...node, attributes: new Map([...node.attributes, ['alpha', float(1)], ['beta', float(1)]]) };
}

function scaledBy(values: Float32Array, factor: number): Float32Array {
  return factor === 1 ? values : values.map((value) => value * factor);
}

interface WeightUse {
  readonly kernel: IntegerKernel;
  readonly factor: number;
  readonly bias?: { readonly values: Float32Array; readonly inputScale: number };
}

function writeWeight(tools: Tools, node: Weighted, use: WeightUse): Written | undefined {
  const { graph, settings, known, replaced } = tools;
  const value = node.inputs[1]!;
  const weight = graph.constants.get(value)!;
  const axis = settings.perChannel ? scaleAxis(graph, node, use.kernel) : undefined;
  const granularity = axis === undefined ? perTensor : perChannel(axis);
  const values = scaledBy(toFloats(weight), use.factor);
  const plain = known.get(`${value}|${axis}|${use.factor}`);
  let scales = plain?.scales;
  if (!scales) {
    const ranges = weightRanges(values, weight.shape, { grid: settings.weights, granularity, clip: settings.clip });
    if (!ranges) return undefined;
    scales = scalesOf(ranges, settings.weights);
  }
  const shared = sharedTable(tools, node, use);
  if (shared) {
    replaced.add(value);
    return { output: writeSharedTable(tools, shared), scales };
  }
  const raised = use.bias ? raisedForBias(scales, use.bias) : scales;
  if (raised === scales && plain) return plain;
  const source = tensor('float32', weight.shape, values);
  const written = writeDequantized(tools, {
    name: value,
    integers: quantizeTensor(source, { grid: settings.weights, granularity, scales: raised }),
    scales: raised,
    axis,
  });
  replaced.add(value);
  if (raised === scales) known.set(`${value}|${axis}|${use.factor}`, written);
  return written;
}

interface SharedTable {
  readonly table: ValueId;
  readonly turned: boolean;
}

/** The table that Gather looks up and that this node reads as its weight, where both take the same codes. */
function sharedTable({ graph, settings, turned }: Tools, node: Weighted, use: WeightUse): SharedTable | undefined {
  const { bits, symmetric } = settings.weights;
  const byChannel = scaleAxis(graph, node, use.kernel) !== undefined;
  if (!settings.storage || bits !== 8 || !symmetric || use.factor !== 1 || use.bias) return undefined;
  if (settings.perChannel && !byChannel) return undefined;
  const value = node.inputs[1]!;
  const table = turned.get(value);
  if (table !== undefined) return node.op === 'MatMul' ? { table, turned: true } : undefined;
  return node.op === 'Gemm' && intOf(node, 'transB', 0) !== 0 && isTable(graph, value)
    ? { table: value, turned: false }
    : undefined;
}

function writeSharedTable(tools: Tools, { table, turned }: SharedTable): ValueId {
  const { graph, writer, settings } = tools;
  const [output] = tools.made(graph.constants.get(table)!, `product|${turned}`, () => {
    const choice = { clip: settings.clip, perRow: settings.perChannel };
    const inputs = [...(turned ? turnedTable : tableMatrix)(tools, table, choice)];
    // Gemm fuses only with a zero point.
    if (!turned) {
      const zeros = new Int8Array(settings.perChannel ? graph.constants.get(table)!.shape[0]! : 1);
      const shape = settings.perChannel ? [zeros.length] : [];
      inputs.push(writer.constant(`${table}_zero_point`, tensor('int8', shape, zeros)));
    }
    const restored = writer.fresh(`${table}_dequantized`);
    writer.emit(
      createNode({
        id: writer.fresh(`${table}_DequantizeLinear`),
        op: 'DequantizeLinear',
        inputs,
        outputs: [restored],
        ...(settings.perChannel ? { attributes: { axis: int(turned ? 1 : 0) } } : {}),
      }),
    );
    return [restored];
  });
  return output!; // one is made
}

interface Stored {
  readonly name: ValueId;
  readonly integers: Tensor;
  readonly scales: Scales;
  readonly axis: number | undefined;
}

function writeDequantized({ writer, settings }: Tools, { name, integers, scales, axis }: Stored): Written {
  const shape = axis === undefined ? [] : [scales.scale.length];
  const { scale, zeroPoint } = scaleConstants(scales, shape, storageOf(settings.weights));
  const output = writer.fresh(`${name}_dequantized`);
  writer.info(output, { dtype: 'float32', shape: integers.shape });
  writer.emit(
    createNode({
      id: writer.fresh(`${name}_DequantizeLinear`),
      op: 'DequantizeLinear',
      inputs: [
        writer.constant(`${name}_quantized`, integers),
        writer.constant(`${name}_scale`, scale),
        writer.constant(`${name}_zero_point`, zeroPoint),
      ],
      outputs: [output],
      ...(axis === undefined ? {} : { attributes: { axis: int(axis) } }),
    }),
  );
  return { output, scales };
}

const largestBias = 2 ** 32 - 2;

/**
 * Weight scales raised where the bias would not fit int32: the bias scale s_x s_w must reach 1.0001 * 2 |b| / (2^32 - 2).
 * The same object where none has to be raised.
 */
export function raisedForBias(
  scales: Scales,
  { values, inputScale }: { readonly values: Float32Array; readonly inputScale: number },
): Scales {
  let raised: Float32Array | undefined;
  const shared = scales.scale.length === 1;
  for (let i = 0; i < values.length; i++) {
    const group = shared ? 0 : i;
    const needed = (1.0001 * 2 * Math.abs(values[i]!)) / largestBias;
    const current = (raised ?? scales.scale)[group]!;
    if (!(inputScale * current < needed)) continue;
    raised ??= scales.scale.slice();
    raised[group] = needed / inputScale;
  }
  return raised ? { ...scales, scale: raised } : scales;
}

interface BiasParts {
  readonly bias: Float32Array;
  readonly inputScale: number;
  readonly scales: Scales;
}

function writeBias({ writer, graph, replaced }: Tools, node: Node, { bias, inputScale, scales }: BiasParts): ValueId {
  const name = node.inputs[2]!;
  const weight = graph.constants.get(node.inputs[1]!)!;
  const channels = isWeighted(node.op) ? weight.shape[outputAxis(graph, node)]! : 0;
  const shared = scales.scale.length === 1;
  const integers = new Int32Array(channels);
  const scale = Float32Array.from(scales.scale, (each) => inputScale * each);
  for (let i = 0; i < channels; i++) {
    const code = roundHalfEven(bias[bias.length === 1 ? 0 : i]! / scale[shared ? 0 : i]!);
    integers[i] = Math.max(-2147483647, Math.min(2147483647, code));
  }
  const shape = shared ? [] : [channels];
  const output = writer.fresh(`${name}_dequantized`);
  writer.info(output, { dtype: 'float32', shape: [channels] });
  writer.emit(
    createNode({
      id: writer.fresh(`${name}_DequantizeLinear`),
      op: 'DequantizeLinear',
      inputs: [
        writer.constant(`${name}_quantized`, tensor('int32', [channels], integers)),
        writer.constant(`${name}_scale`, tensor('float32', shape, scale)),
        writer.constant(
          `${name}_zero_point`,
          reshaped(tensor('int32', [scale.length], new Int32Array(scale.length)), shape),
        ),
      ],
      outputs: [output],
      ...(shared ? {} : { attributes: { axis: int(0) } }),
    }),
  );
  replaced.add(name);
  return output;
}

const withInput = (node: Node, slot: number, value: ValueId): Node => ({
  ...node,
  inputs: node.inputs.map((each, i) => (i === slot ? value : each)),
});
