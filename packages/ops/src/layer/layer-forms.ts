import { intOf } from '@espalier/core';
import type { OpName } from '../op-names.js';
import {
  convolution,
  equation,
  inBlocks,
  type LayerForm,
  lookup,
  product,
  projection,
  recurrent,
} from './layer-form.js';
import { withoutWeights } from './without-weights.js';

const transposed = { flags: { a: 'transA', b: 'transB' } };
const alpha = { factors: { product: 'alpha' } };
const gemm = product({ ...transposed, flat: true }, { bias: 2, factors: { product: 'alpha', bias: 'beta' } });
const fusedMatMul = product(transposed, {
  ...alpha,
  refuse: (node) =>
    intOf(node, 'transBatchA', 0) || intOf(node, 'transBatchB', 0) ? 'transposes batch axes' : undefined,
});
const qLinearConv = convolution({ w: 3, scale: 4, zeroPoint: 5 }, { bias: 8 });
const qLinearMatMul = product({ a: { scale: 1, zeroPoint: 2 }, b: { slot: 3, scale: 4, zeroPoint: 5 } });

/** Where each op keeps its weights; for ops without weights a clause that says what they do instead. */
export const layerForms = {
  Conv: convolution(),
  ConvInteger: convolution({ zeroPoint: 3 }, {}),
  ConvTranspose: convolution({ transposed: true }),
  DeformConv: convolution({}, { bias: 3 }),
  Einsum: equation,
  GRU: recurrent(),
  Gather: lookup([0], 'axis'),
  Gemm: gemm,
  LSTM: recurrent(),
  MatMul: product(),
  MatMulInteger: product({ a: { zeroPoint: 2 }, b: { zeroPoint: 3 } }),
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  RNN: recurrent(),
  'com.microsoft::Attention': projection(),
  'com.microsoft::DynamicQuantizeLSTM': recurrent({
    w: { scale: 8, zeroPoint: 9 },
    r: { scale: 10, zeroPoint: 11 },
  }),
  'com.microsoft::DynamicQuantizeMatMul': product({ b: { scale: 2, zeroPoint: 3 } }, { bias: 4 }),
  'com.microsoft::EmbedLayerNormalization': lookup([2, 3, 4]),
  'com.microsoft::FusedConv': convolution({}, { bias: 2, fused: true }),
  'com.microsoft::FusedGemm': { ...gemm, fused: true },
  'com.microsoft::FusedMatMul': fusedMatMul,
  'com.microsoft::FusedMatMulActivation': { ...fusedMatMul, fused: true },
  'com.microsoft::GatherBlockQuantized': lookup([0], 'gather_axis', { scale: 2, zeroPoint: 3 }),
  'com.microsoft::GemmFastGelu': product({}, { bias: 2, fused: true }),
  'com.microsoft::MatMulInteger16': product(),
  'com.microsoft::MatMulIntegerToFloat': product(
    { a: { scale: 2, zeroPoint: 4 }, b: { scale: 3, zeroPoint: 5 } },
    { bias: 6 },
  ),
  'com.microsoft::MatMulNBits': inBlocks,
  'com.microsoft::QAttention': projection({ scale: 4, zeroPoint: 7 }),
  'com.microsoft::QGemm': product(
    { ...transposed, flat: true, a: { scale: 1, zeroPoint: 2 }, b: { slot: 3, scale: 4, zeroPoint: 5 } },
    { bias: 6, ...alpha },
  ),
  'com.microsoft::QLinearConv': qLinearConv,
  'com.microsoft::RelativePositionBias': lookup([0]),
  'com.microsoft::TransposeMatMul': fusedMatMul,
  ...withoutWeights,
} as const satisfies Record<OpName, LayerForm | string>;
