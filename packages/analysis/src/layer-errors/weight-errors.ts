import { type Graph, indexOf, isFloat, type Node, usesOf, type ValueId } from '@espalier/core';
import {
  constantOwners,
  isRefusal,
  operandsOf,
  parametersOf,
  type RealWeight,
  transposedWeight,
  weightOf,
} from '@espalier/ops';
import type { ErrorStats } from '../comparison/error-meter.js';
import { errorStats } from '../comparison/snr-db.js';

/** The distance of a weight in the changed graph from its original. */
export interface WeightError extends ErrorStats {
  /** Name of the constant in the original graph. */
  readonly weight: ValueId;
  /** Name of the constant that stands for it in the changed graph. */
  readonly changed: ValueId;
  /** The node of the original graph that reads it. */
  readonly node: string;
  readonly op: string;
}

/** A weight tensor of one graph and what stands for it in another, as real numbers in the same layout. */
export interface WeightPair {
  readonly weight: ValueId;
  readonly changed: ValueId;
  readonly node: Node;
  readonly before: RealWeight;
  readonly after: RealWeight;
}

/**
 * The signal-to-noise ratio of every weight tensor (float, two axes or more) against the same weight in a changed
 * graph, dequantized: DequantizeLinear per tensor, channel or block, MatMulNBits, integer ops, Cast and Mul, float16,
 * or plain floats with zeros. Weights whose size has changed, or that are gone, are left out.
 */
export const weightErrors = (original: Graph, changed: Graph): readonly WeightError[] =>
  [...weightPairs(original, changed)].map(({ weight, changed: other, node, before, after }) => ({
    weight,
    changed: other,
    node: node.id,
    op: node.op,
    ...errorStats(before.values, after.values),
  }));

/** The weights of two graphs side by side, one at a time, so that only one pair is dequantized at once. */
export function* weightPairs(original: Graph, changed: Graph): Generator<WeightPair> {
  const { owner } = constantOwners(changed);
  for (const [weight, tensor] of original.constants) {
    if (!isFloat(tensor.dtype) || tensor.shape.length < 2 || parametersOf(original, weight) === 0) continue;
    const use = usesOf(original, weight)[0];
    const other = use && standIn(changed, { weight, node: use.node, slot: use.slot });
    const reader = other === undefined ? undefined : owner.get(other);
    if (!use || other === undefined || !reader) continue;
    const before = weightOf(original, weight);
    const read = weightOf(changed, other);
    if (!before || !read) continue;
    const after = turns([original, use.node], [changed, reader]) ? transposedWeight(read) : read;
    if (after.shape.join() === before.shape.join()) yield { weight, changed: other, node: use.node, before, after };
  }
}

/** Whether a node's weight has a row for each output (true) or for each input; undefined where that is no question. */
function outputsFirst(graph: Graph, node: Node): boolean | undefined {
  const layer = operandsOf(graph, node);
  if (isRefusal(layer) || layer.kind === 'convolution') return undefined;
  // Of a product the right operand, in the forms that quantizers write; its rank may be unknown.
  const weight = layer.weights.findLast(({ slot }) => slot > 0);
  const [output, sum] = [weight?.outputs[0], weight?.sums[0]];
  return output === undefined || sum === undefined ? undefined : output < sum;
}

function turns(before: readonly [Graph, Node], after: readonly [Graph, Node]): boolean {
  const [from, to] = [outputsFirst(...before), outputsFirst(...after)];
  return from !== undefined && to !== undefined && from !== to;
}

interface Reader {
  readonly weight: ValueId;
  readonly node: Node;
  readonly slot: number;
}

/** By name first; else what the node that makes the same value reads in the same place. */
function standIn(changed: Graph, { weight, node, slot }: Reader): ValueId | undefined {
  for (const name of [weight, `${weight}_quantized`]) if (changed.constants.has(name)) return name;
  const { producer } = indexOf(changed);
  const same = node.outputs[0] === undefined ? undefined : producer.get(node.outputs[0]);
  let value = slot < 0 ? undefined : same?.inputs[slot];
  for (let maker = value && producer.get(value); maker; maker = value && producer.get(value)) {
    if (!['DequantizeLinear', 'Cast', 'Mul', 'Identity'].includes(maker.op)) return undefined;
    value = maker.inputs[0];
  }
  return value !== undefined && changed.constants.has(value) ? value : undefined;
}
