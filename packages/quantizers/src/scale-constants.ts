import { type CodeType, pack, type Tensor, tensor } from '@espalier/core';
import type { Scales } from './scales.js';

/** Scale and zero point as ONNX wants them: the zero point's dtype decides the type of the integers. */
export interface ScaleConstants {
  readonly scale: Tensor<'float32'>;
  readonly zeroPoint: Tensor;
}

/** Constants for QuantizeLinear and DequantizeLinear; shape [] per tensor, [channels] per channel. */
export function scaleConstants(scales: Scales, shape: readonly number[], type: CodeType): ScaleConstants {
  return {
    scale: tensor('float32', shape, scales.scale),
    zeroPoint: zeroPointTensor(scales.zeroPoint, shape, type),
  };
}

function zeroPointTensor(values: Int32Array, shape: readonly number[], type: CodeType): Tensor {
  switch (type) {
    case 'int8':
      return tensor(type, shape, Int8Array.from(values));
    case 'uint8':
      return tensor(type, shape, Uint8Array.from(values));
    case 'int16':
      return tensor(type, shape, Int16Array.from(values));
    case 'uint16':
      return tensor(type, shape, Uint16Array.from(values));
    case 'int4':
    case 'uint4':
      return tensor(type, shape, pack(values, 4));
    case 'int2':
    case 'uint2':
      return tensor(type, shape, pack(values, 2));
  }
}
