import { type Gram, type Graph, intOf, isFloat, type Need, type Node, type ValueId } from '@espalier/core';
import { isRefusal, type LayerWeight, layerOf, numbersOf } from '@espalier/ops';
import type { LayerNumbers } from '../layers/layer-range.js';
import { channelRows } from '../weights-advice/channel-rows.js';
import { channelAxis } from '../weights-advice/weight-targets.js';

/** A layer whose output error can be followed through XᵀX of its inputs. */
export interface LayerTarget {
  readonly node: string;
  readonly op: string;
  readonly weight: ValueId;
  /** Which group of a grouped convolution is looked at (the one with most weight energy), and how many there are. */
  readonly group: number;
  readonly groups: number;
  /** Inputs of each output: the size of XᵀX. */
  readonly size: number;
  /** The statistics that calibration must collect. */
  readonly need: Need & { readonly statistic: 'gram' };
  readonly numbers: (gram: Gram) => LayerNumbers;
}

/** Convolutions and matrix products with a constant float weight, in topological order. */
export const layerTargets = (graph: Graph): readonly LayerTarget[] =>
  graph.nodes.flatMap((node) => layerTarget(graph, node) ?? []);

function layerTarget(graph: Graph, node: Node): LayerTarget | undefined {
  const slot = weightSlot(graph, node);
  const weight = slot === undefined ? undefined : node.inputs[slot];
  const tensor = weight === undefined ? undefined : graph.constants.get(weight);
  if (slot === undefined || weight === undefined || !tensor) return undefined;
  const { shape } = tensor;
  if (!isFloat(tensor.dtype) || (node.op === 'Conv' ? shape.length < 3 : shape.length !== 2)) return undefined;
  const numbers = numbersOf(tensor);
  const values = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
  const rows = channelRows(values, { shape, ...channelAxis(graph, { node, slot }) });
  const groups = node.op === 'Conv' ? Math.max(1, intOf(node, 'group', 1)) : 1;
  const length = rows.values.length / groups;
  if (rows.size < 2 || !Number.isInteger(length)) return undefined;
  const group = strongest(rows.values, groups);
  const part = rows.values.subarray(group * length, (group + 1) * length);
  const kernel = node.op === 'Conv' ? shape.slice(2).reduce((product, dim) => product * dim, 1) : 1;
  return {
    node: node.id,
    op: node.op,
    weight,
    group,
    groups,
    size: rows.size,
    need: { statistic: 'gram', node: node.id, ...(groups > 1 ? { group } : {}) },
    numbers: ({ sum }) => ({ weight: part, gram: sum, kernel }),
  };
}

/** Layers whose rows of inputs calibration lists. */
const listed = new Set(['Conv', 'Gemm', 'MatMul']);

/** The slot of the constant that a layer multiplies rows of its data by; undefined for other nodes. */
function weightSlot(graph: Graph, node: Node): number | undefined {
  const layer = layerOf(graph, node);
  if (isRefusal(layer) || !listed.has(node.op) || layer.weights.length !== 1) return undefined;
  const [{ slot, data }] = layer.weights as readonly [LayerWeight]; // one
  return node.op === 'Gemm' && (slot === 0 || data?.axis === -2) ? undefined : slot;
}

/** The equal part of a weight with most energy; the first of equals. */
function strongest(values: Float32Array, parts: number): number {
  const length = values.length / parts;
  let best = { part: 0, energy: -1 };
  for (let part = 0; part < parts; part++) {
    let energy = 0;
    for (let i = part * length; i < (part + 1) * length; i++) energy += values[i]! * values[i]!;
    if (energy > best.energy) best = { part, energy };
  }
  return best.part;
}
