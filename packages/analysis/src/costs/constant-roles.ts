import { type DType, type Graph, intOf, isFloat, sizeOf, type Tensor, usesOf, type ValueId } from '@espalier/core';
import { codedInput, codingParts } from '@espalier/ops';

/**
 * Slots whose constants are settings, scales or statistics, not parameters. Running mean and variance of a batch norm
 * are statistics, as in every published parameter count.
 */
const settingSlots: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  ConstantOfShape: [0],
  ConvInteger: [2, 3],
  DequantizeLinear: [1, 2],
  Dropout: [1, 2],
  MatMulInteger: [2, 3],
  NonMaxSuppression: [2, 3, 4],
  OneHot: [1, 2],
  Pad: [1, 2, 3],
  Pow: [1],
  QLinearConv: [1, 2, 4, 5, 6, 7],
  QLinearMatMul: [1, 2, 4, 5, 6, 7],
  QuantizeLinear: [1, 2],
  Range: [0, 1, 2],
  Resize: [1, 2, 3],
  Upsample: [1],
  'com.microsoft::DequantizeLinear': [1, 2],
  'com.microsoft::DynamicQuantizeLSTM': [8, 9, 10, 11],
  'com.microsoft::DynamicQuantizeMatMul': [2, 3],
  'com.microsoft::GatherBlockQuantized': [2, 3],
  'com.microsoft::MatMulBnb4': [2],
  'com.microsoft::MatMulIntegerToFloat': [2, 3, 4, 5],
  'com.microsoft::MatMulNBits': [2, 3, 4],
  'com.microsoft::QAttention': [3, 4, 5, 6, 7],
  'com.microsoft::QGemm': [1, 2, 4, 5, 7, 8],
  'com.microsoft::QLinearAdd': [1, 2, 4, 5, 6, 7],
  'com.microsoft::QLinearAveragePool': [1, 2, 3, 4],
  'com.microsoft::QLinearConv': [1, 2, 4, 5, 6, 7],
  'com.microsoft::QLinearGlobalAveragePool': [1, 2, 3, 4],
  'com.microsoft::QLinearLeakyRelu': [1, 2, 3, 4],
  'com.microsoft::QLinearMul': [1, 2, 4, 5, 6, 7],
  'com.microsoft::QLinearReduceMean': [1, 2, 3, 4],
  'com.microsoft::QLinearSigmoid': [1, 2, 3, 4],
  'com.microsoft::QLinearSoftmax': [1, 2, 3, 4],
  'com.microsoft::QLinearWhere': [2, 3, 5, 6, 7, 8],
  'com.microsoft::QuantizeLinear': [1, 2],
};

/** Ops with any number of scale and zero point inputs: everything but each third is a setting. */
const concat = 'com.microsoft::QLinearConcat';

const narrow: ReadonlySet<DType> = new Set(['int16', 'uint16', 'int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2']);

const isSetting = (op: string, slot: number): boolean =>
  op === concat ? slot < 2 || slot % 3 !== 2 : Object.hasOwn(settingSlots, op) && settingSlots[op]!.includes(slot);

/**
 * Number of parameters a constant holds: its elements when some node reads it as a weight or bias, else 0. Float
 * constants of rank 0 are settings of a formula (the ½ of Gelu), and 32- and 64-bit integers are shapes and indices,
 * unless a node reads them as codes.
 */
export function parametersOf(graph: Graph, value: ValueId): number {
  const tensor = graph.constants.get(value);
  if (!tensor || codingParts(graph).has(tensor)) return 0;
  const reader = usesOf(graph, value).find(({ node, slot }) => readsWeight(tensor, node.op, slot));
  if (!reader) return 0;
  const { node } = reader;
  const packed = reader.slot === 1 && (node.op.endsWith('::MatMulNBits') || node.op.endsWith('::MatMulBnb4'));
  return packed ? intOf(node, 'N', 0) * intOf(node, 'K', 0) : sizeOf(tensor.shape);
}

function readsWeight(tensor: Tensor, op: string, slot: number): boolean {
  if (isSetting(op, slot)) return false;
  if (codedInput(op, slot) || narrow.has(tensor.dtype)) return tensor.shape.length > 0;
  return isFloat(tensor.dtype) && tensor.shape.length > 0;
}
