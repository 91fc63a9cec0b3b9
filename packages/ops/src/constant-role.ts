import { type DType, type Graph, intOf, isFloat, sizeOf, type Tensor, usesOf, type ValueId } from '@espalier/core';
import type { OpName } from './op-names.js';
import { codedInput } from './weights/coded-inputs.js';
import { codingParts } from './weights/weight-coding.js';

/**
 * The role of a constant:
 * - `parameter`: real numbers that were trained, weights and biases;
 * - `code`: integers that stand for such numbers;
 * - `statistic`: running mean or variance of a batch norm, which no published parameter count includes;
 * - `scale`: a scale or zero point of codes;
 * - `setting`: an option of an op, or a number of a formula (the 0.5 of Gelu);
 * - `shape`: sizes, indices and bounds.
 */
export type ConstantRole = 'parameter' | 'code' | 'statistic' | 'scale' | 'setting' | 'shape';

/** Slots that hold neither parameters nor codes, whatever their dtype. */
const slots: Readonly<Partial<Record<OpName, Partial<Record<ConstantRole, readonly number[]>>>>> = {
  BatchNormalization: { statistic: [3, 4] },
  Clip: { setting: [1, 2] },
  ConstantOfShape: { shape: [0] },
  ConvInteger: { scale: [2, 3] },
  DequantizeLinear: { scale: [1, 2] },
  Dropout: { setting: [1, 2] },
  MatMulInteger: { scale: [2, 3] },
  NonMaxSuppression: { setting: [2, 3, 4] },
  OneHot: { setting: [1, 2] },
  Pad: { shape: [1, 3], setting: [2] },
  Pow: { setting: [1] },
  QLinearConv: { scale: [1, 2, 4, 5, 6, 7] },
  QLinearMatMul: { scale: [1, 2, 4, 5, 6, 7] },
  QuantizeLinear: { scale: [1, 2] },
  Range: { shape: [0, 1, 2] },
  Resize: { setting: [1, 2], shape: [3] },
  Upsample: { setting: [1] },
  'com.microsoft::DequantizeLinear': { scale: [1, 2] },
  'com.microsoft::DynamicQuantizeLSTM': { scale: [8, 9, 10, 11] },
  'com.microsoft::DynamicQuantizeMatMul': { scale: [2, 3] },
  'com.microsoft::GatherBlockQuantized': { scale: [2, 3] },
  'com.microsoft::MatMulBnb4': { scale: [2] },
  'com.microsoft::MatMulIntegerToFloat': { scale: [2, 3, 4, 5] },
  'com.microsoft::MatMulNBits': { scale: [2, 3], setting: [4] },
  'com.microsoft::QAttention': { scale: [3, 4, 6, 7], setting: [5] },
  'com.microsoft::QGemm': { scale: [1, 2, 4, 5, 7, 8] },
  'com.microsoft::QLinearAdd': { scale: [1, 2, 4, 5, 6, 7] },
  'com.microsoft::QLinearAveragePool': { scale: [1, 2, 3, 4] },
  'com.microsoft::QLinearConv': { scale: [1, 2, 4, 5, 6, 7] },
  'com.microsoft::QLinearGlobalAveragePool': { scale: [1, 2, 3, 4] },
  'com.microsoft::QLinearLeakyRelu': { scale: [1, 2, 3, 4] },
  'com.microsoft::QLinearMul': { scale: [1, 2, 4, 5, 6, 7] },
  'com.microsoft::QLinearReduceMean': { scale: [1, 2, 3, 4] },
  'com.microsoft::QLinearSigmoid': { scale: [1, 2, 3, 4] },
  'com.microsoft::QLinearSoftmax': { scale: [1, 2, 3, 4] },
  'com.microsoft::QLinearWhere': { scale: [2, 3, 5, 6, 7, 8] },
  'com.microsoft::QuantizeLinear': { scale: [1, 2] },
  'espalier::FakeQuantize': { scale: [1, 2] },
  'espalier::ParameterizedQuantize': { scale: [1, 2, 3] },
};

/** Any number of parts: scale and zero point of the result, then each part with its own. */
const concat = 'com.microsoft::QLinearConcat';

function slotRole(op: string, slot: number): ConstantRole | undefined {
  if (op === concat) return slot < 2 || slot % 3 !== 2 ? 'scale' : undefined;
  const own = Object.hasOwn(slots, op) ? slots[op as OpName]! : {}; // the key was just found
  return (Object.keys(own) as ConstantRole[]).find((role) => own[role]!.includes(slot)); // the keys of such a record
}

const narrow: ReadonlySet<DType> = new Set(['int16', 'uint16', 'int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2']);

function useRole({ dtype, shape }: Tensor, op: string, slot: number): ConstantRole {
  const told = slotRole(op, slot);
  if (told) return told;
  const coded = codedInput(op, slot) !== undefined || narrow.has(dtype);
  if (shape.length > 0 && coded) return isFloat(dtype) ? 'parameter' : 'code';
  if (isFloat(dtype)) return shape.length > 0 ? 'parameter' : 'setting';
  return dtype === 'bool' || dtype === 'string' || coded ? 'setting' : 'shape';
}

/** Of several uses, the one that comes first here decides. */
const strongest: readonly ConstantRole[] = ['parameter', 'code', 'statistic', 'scale', 'setting', 'shape'];

/**
 * The role of a constant, from the nodes that read it; undefined for a value that is no constant or is not read.
 * Float constants of rank 0 are settings, and 32- and 64-bit integers are shapes, unless a node reads them as codes.
 */
export function roleOf(graph: Graph, value: ValueId): ConstantRole | undefined {
  const tensor = graph.constants.get(value);
  if (!tensor) return undefined;
  if (codingParts(graph).has(tensor)) return 'scale';
  const roles = new Set(usesOf(graph, value).map(({ node, slot }) => useRole(tensor, node.op, slot)));
  return strongest.find((role) => roles.has(role));
}

/** Whether a constant holds parameters, as real numbers or as codes. */
export function isParameter(graph: Graph, value: ValueId): boolean {
  const role = roleOf(graph, value);
  return role === 'parameter' || role === 'code';
}

/** The number of parameters in a constant: its elements (unpacked), or 0 for other roles. */
export function parametersOf(graph: Graph, value: ValueId): number {
  const tensor = graph.constants.get(value);
  if (!tensor || !isParameter(graph, value)) return 0;
  const packed = usesOf(graph, value).find(({ node, slot }) => slot === 1 && /::MatMul(NBits|Bnb4)$/.test(node.op));
  return packed ? intOf(packed.node, 'N', 0) * intOf(packed.node, 'K', 0) : sizeOf(tensor.shape);
}
