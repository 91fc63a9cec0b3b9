import type { Node, ValueId } from '@espalier/core';

/** The role of each axis of a weight. Every axis is in one of the lists. */
export interface WeightAxes {
  /** Axes whose indices make an output each: channels, neurons, rows of gates. */
  readonly outputs: readonly number[];
  /** Axes that each output sums over. */
  readonly sums: readonly number[];
  /** Places within a unit, which are summed over too: positions of a kernel, codes of a block. */
  readonly inner: readonly number[];
  /** Axes that number weights of their own: matrices of a stack, directions, rows of a table that is looked up. */
  readonly stacked: readonly number[];
  /** Parts of the channels that see nothing of each other; 1 for most layers. */
  readonly groups: number;
  /** Which side's axis numbers the channels of one group alone; the other one runs over all groups. */
  readonly perGroup: 'outputs' | 'sums';
}

/** An operand that can hold weights: its axes, and where the values that it meets lie. */
export interface LayerWeight extends WeightAxes {
  readonly slot: number;
  readonly value: ValueId;
  /** The input that the weight is multiplied with, and its axis that is summed over (negative: from the end). */
  readonly data?: { readonly slot: number; readonly axis: number };
  /** The axis of the result that numbers the outputs (negative: from the end). */
  readonly result?: number;
  /** Slots of the scale and the zero point that the codes of the weight go with. */
  readonly scale?: number;
  readonly zeroPoint?: number;
}

/**
 * `convolution` and `product` compute `factors.product` times the sums plus `factors.bias` times the bias. `custom`
 * layers are known by an axis rule alone, which does not say what they compute.
 */
export type LayerKind = 'convolution' | 'product' | 'recurrent' | 'attention' | 'lookup' | 'custom';

/** A node with weights. */
export interface Layer {
  readonly node: Node;
  readonly kind: LayerKind;
  /** Its weights, by slot; at least one. */
  readonly weights: readonly LayerWeight[];
  /** Slot of the bias, where the op has one. It may be omitted in the node. */
  readonly bias?: number;
  /** Gemm's alpha and beta; 1 for all others. */
  readonly factors: { readonly product: number; readonly bias: number };
  /** Whether more follows within the node: an activation, another value that is added. */
  readonly fused: boolean;
}

/** Why a node is no layer: a clause, such as "Relu works on each element". */
export interface Refusal {
  readonly reason: string;
}

/** Whether `layerOf` found no layer. */
export const isRefusal = (found: Layer | Refusal): found is Refusal => 'reason' in found;
