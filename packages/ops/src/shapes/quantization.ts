import { intOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import { broadcastOf, like } from './elementwise.js';
import { dtypeAttribute } from './onnx-dtype.js';
import { type ShapeRule, shapeOfRank, typeOf } from './site.js';

/** The dtype of the zero point, else what `output_dtype` names (opset 21), else uint8. */
const quantize: ShapeRule = (site) => {
  const dtype =
    site.node.inputs[2] === undefined ? (dtypeAttribute(site.node, 'output_dtype') ?? 'uint8') : site.dtype(2);
  return [typeOf(dtype, site.shape(0))];
};

/** The dtype in `output_dtype` (opset 23), else the dtype of the scale. */
const dequantize: ShapeRule = (site) => [
  typeOf(dtypeAttribute(site.node, 'output_dtype') ?? site.dtype(1), site.shape(0)),
];

/** Two quantized operands, each followed by its scale and zero point. */
const quantizedPair: ShapeRule = (site) => [typeOf(site.dtype(0), broadcastOf(site, [0, 3]))];

/** [..., K] by packed weights of N columns. */
const packedWeights: ShapeRule = (site) => {
  const shape = shapeOfRank(site, 0, 1);
  const rows = intOf(site.node, 'K', undefined);
  const inner = shape?.at(-1);
  if (typeof inner === 'number' && rows !== undefined && inner !== rows) {
    throw site.fail({ expected: `a last axis of K = ${rows}`, found: `${inner}` });
  }
  const columns = intOf(site.node, 'N', undefined);
  return [typeOf(site.dtype(0), shape && [...shape.slice(0, -1), columns ?? site.fresh(shape.length - 1)])];
};

const same = like();

/** Quantizers, and ops on quantized tensors that are no convolution, pooling or plain matrix product. */
export const quantizationRules = {
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: (site) => [typeOf('uint8', site.shape(0)), typeOf('float32', []), typeOf('uint8', [])],
  QuantizeLinear: quantize,
  'com.microsoft::DequantizeLinear': dequantize,
  'com.microsoft::MatMulBnb4': packedWeights,
  'com.microsoft::MatMulNBits': packedWeights,
  'com.microsoft::QLinearAdd': quantizedPair,
  'com.microsoft::QLinearLeakyRelu': same,
  'com.microsoft::QLinearMul': quantizedPair,
  'com.microsoft::QLinearSigmoid': same,
  'com.microsoft::QLinearSoftmax': same,
  'com.microsoft::QLinearWhere': (site) => [typeOf(site.dtype(1), broadcastOf(site, [0, 1, 4]))],
  'com.microsoft::QuantizeLinear': quantize,
  'espalier::FakeQuantize': same,
  'espalier::ParameterizedQuantize': same,
} as const satisfies Partial<Record<OpName, ShapeRule>>;
