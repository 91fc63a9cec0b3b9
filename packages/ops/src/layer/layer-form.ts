import { intOf, type Node } from '@espalier/core';
import type { LayerKind, LayerWeight } from './layer.js';
import { type AxesOf, blocks, gates, kernels, letters, matrices, matrix, table } from './weight-axes.js';

/** An input of an op that can hold weights. */
export interface Operand extends Pick<LayerWeight, 'slot' | 'result' | 'scale' | 'zeroPoint'> {
  readonly axes: AxesOf;
  readonly data?: (node: Node) => LayerWeight['data'];
}

/** Where an op keeps its weights, and what else belongs to them. */
export interface LayerForm {
  readonly kind: Exclude<LayerKind, 'custom'>;
  readonly operands: readonly Operand[];
  readonly bias?: number;
  /** The attributes that scale the product and the bias. */
  readonly factors?: { readonly product: string; readonly bias?: string };
  /** Whether more follows in the node than product and bias: an activation, a value that is added. */
  readonly fused?: boolean;
  /** Why a node of this op is no layer that is understood. */
  readonly refuse?: (node: Node) => string | undefined;
}

/** Slots of an operand's scale and zero point. */
type Codes = Pick<Operand, 'scale' | 'zeroPoint'>;

const at = (slot: number, axis: number) => () => ({ slot, axis });

/** A convolution of input 0 by the kernels in a slot. */
export const convolution = (
  { w = 1, transposed = false, ...codes }: { readonly w?: number; readonly transposed?: boolean } & Codes = {},
  rest: Partial<LayerForm> = { bias: 2 },
): LayerForm => ({
  kind: 'convolution',
  operands: [{ slot: w, axes: kernels(transposed), data: at(0, 1), result: 1, ...codes }],
  ...rest,
});

/** Where a product has its two operands. */
interface Sides {
  readonly a?: Codes;
  readonly b?: { readonly slot?: number } & Codes;
  /** The attributes that flip them. */
  readonly flags?: { readonly a: string; readonly b: string };
  /** Whether both are matrices, never stacks of them. */
  readonly flat?: boolean;
}

/** A product of input 0 with another; either one may be the weight. */
export const product = (sides: Sides = {}, rest: Partial<LayerForm> = {}): LayerForm => {
  const { slot = 1, ...right } = sides.b ?? {};
  const { flags, flat } = sides;
  const flipped = (node: Node, flag: string | undefined) => flag !== undefined && intOf(node, flag, 0) !== 0;
  const axes = (side: 'left' | 'right', flag: string | undefined) =>
    flat && flag !== undefined ? matrix(side, flag) : matrices(side, flag);
  return {
    kind: 'product',
    operands: [
      {
        slot: 0,
        axes: axes('left', flags?.a),
        data: (node) => ({ slot, axis: flipped(node, flags?.b) ? -1 : -2 }),
        result: -2,
        ...sides.a,
      },
      {
        slot,
        axes: axes('right', flags?.b),
        data: (node) => ({ slot: 0, axis: flipped(node, flags?.a) ? -2 : -1 }),
        result: -1,
        ...right,
      },
    ],
    ...rest,
  };
};

/** W and R of a recurrent layer, with their codes where it has any. */
export const recurrent = (codes?: { readonly w: Codes; readonly r: Codes }): LayerForm => ({
  kind: 'recurrent',
  operands: [
    { slot: 1, axes: gates(codes !== undefined), data: at(0, -1), ...codes?.w },
    { slot: 2, axes: gates(codes !== undefined), ...codes?.r },
  ],
  bias: 3,
});

/** The matrix [in, queries + keys + values] of a fused attention. */
export const projection = (codes: Codes = {}): LayerForm => ({
  kind: 'attention',
  operands: [{ slot: 1, axes: matrices('right'), data: at(0, -1), ...codes }],
  bias: 2,
});

/** Tables whose rows are picked by indices. */
export const lookup = (slots: readonly number[], attribute?: string, codes: Codes = {}): LayerForm => ({
  kind: 'lookup',
  operands: slots.map((slot) => ({ slot, axes: table(attribute), ...codes })),
});

/** A matrix of few bits in blocks along its rows, times input 0. */
export const inBlocks: LayerForm = {
  kind: 'product',
  operands: [{ slot: 1, axes: blocks, data: at(0, -1), result: -1, scale: 2, zeroPoint: 3 }],
  bias: 5,
};

/** An equation of two operands; where the data is summed over follows from the letters. */
export const equation: LayerForm = {
  kind: 'product',
  operands: [0, 1].map((slot) => ({ slot, axes: letters(slot) })),
};
