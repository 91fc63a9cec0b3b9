import { intOf, type Node } from '@espalier/core';
import { type Align, alongAxis, byDirection, inBlocks } from './align-scale.js';

/** Where a node that reads integer weights finds their scale and zero point. */
export interface CodedInput {
  /** Slot of the codes. */
  readonly slot: number;
  /** Slot of the scale; `named` where it is applied after a product and known by its name (NAME_quantized, NAME_scale). */
  readonly scale?: number | 'named';
  readonly zeroPoint?: number;
  readonly align: (node: Node) => Align;
  /** The number of indices that share a scale, if the codes are scaled in blocks. */
  readonly block?: (node: Node) => number;
}

const axis = (at: number) => () => alongAxis(at);
const blocksOf = (node: Node) => intOf(node, 'block_size', 0);

const dequantizeLinear: readonly CodedInput[] = [
  {
    slot: 0,
    scale: 1,
    zeroPoint: 2,
    align: (node) =>
      blocksOf(node) > 0 ? inBlocks(intOf(node, 'axis', 1), blocksOf(node)) : alongAxis(intOf(node, 'axis', 1)),
    block: blocksOf,
  },
];
const qLinearConv: readonly CodedInput[] = [
  { slot: 3, scale: 4, zeroPoint: 5, align: axis(0) },
  { slot: 8, align: axis(0) },
];
const qLinearMatMul: readonly CodedInput[] = [
  { slot: 0, scale: 1, zeroPoint: 2, align: axis(-1) },
  { slot: 3, scale: 4, zeroPoint: 5, align: axis(-1) },
];

const table: Readonly<Record<string, readonly CodedInput[]>> = {
  DequantizeLinear: dequantizeLinear,
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  MatMulInteger: [
    { slot: 1, scale: 'named', zeroPoint: 3, align: axis(-1) },
    { slot: 0, scale: 'named', zeroPoint: 2, align: axis(-1) },
  ],
  ConvInteger: [{ slot: 1, scale: 'named', zeroPoint: 3, align: axis(0) }],
  'com.microsoft::DequantizeLinear': dequantizeLinear,
  'com.microsoft::QLinearConv': qLinearConv,
  'com.microsoft::QLinearMatMul': qLinearMatMul,
  'com.microsoft::QGemm': [
    { slot: 3, scale: 4, zeroPoint: 5, align: (node) => alongAxis(intOf(node, 'transB', 0) ? 0 : 1) },
    { slot: 6, align: axis(0) },
  ],
  'com.microsoft::MatMulIntegerToFloat': [{ slot: 1, scale: 3, zeroPoint: 5, align: axis(-1) }],
  'com.microsoft::DynamicQuantizeMatMul': [{ slot: 1, scale: 2, zeroPoint: 3, align: axis(-1) }],
  'com.microsoft::DynamicQuantizeLSTM': [
    { slot: 1, scale: 8, zeroPoint: 9, align: () => byDirection },
    { slot: 2, scale: 10, zeroPoint: 11, align: () => byDirection },
  ],
  'com.microsoft::GatherBlockQuantized': [
    {
      slot: 0,
      scale: 2,
      zeroPoint: 3,
      align: (node) => inBlocks(intOf(node, 'quantize_axis', 1), intOf(node, 'block_size', 128)),
      block: (node) => intOf(node, 'block_size', 128),
    },
  ],
};

/** The way an op reads the integer weight in a slot; undefined if it reads none there. */
export const codedInput = (op: string, slot: number): CodedInput | undefined =>
  Object.hasOwn(table, op) ? table[op]!.find((input) => input.slot === slot) : undefined;
