import { type Tensor, tensor, toFloats } from '@espalier/core';
import { dequantizeTensor } from './dequantize-tensor.js';
import { quantizeToCodes, type TensorQuantization } from './quantize-tensor.js';

/**
 * Quantizes and dequantizes: the float tensor that the integers stand for.
 * |x - fakeQuantize(x)| <= scale / 2 for x inside the grid. `[0.3, 2]` at scale 0.5 over int8 becomes `[0.5, 2]`.
 * @throws QUANTIZE_PARAMETERS.
 */
export function fakeQuantize(source: Tensor, how: TensorQuantization): Tensor<'float32'> {
  const codes = quantizeToCodes(toFloats(source), source.shape, how);
  const integers = tensor('int32', source.shape, Int32Array.from(codes));
  return dequantizeTensor(integers, how);
}
