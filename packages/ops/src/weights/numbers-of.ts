import { type Tensor, toFloats } from '@espalier/core';

/**
 * The elements of a tensor for reading: its own array where that already holds the numbers (float32, float64, and
 * integers up to 32 bits), else converted to float32. @throws TENSOR_DTYPE for strings and complex numbers.
 */
export function numbersOf(source: Tensor): ArrayLike<number> {
  switch (source.dtype) {
    case 'float32':
    case 'float64':
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'uint32':
      return source.data;
    default:
      return toFloats(source);
  }
}
