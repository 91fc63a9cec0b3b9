import { isFloat, sizeOf } from '@espalier/core';
import type { Value } from './value.js';

// Small arrays that are on the host anyway are computed there: shapes and indices exactly, scalars in float64.
const smallFloats = 256;
const smallIntegers = 2 ** 16;

/** Whether a value is so small that it is computed on the host where it is there anyway. */
export const isSmall = ({ dtype, shape }: Pick<Value, 'dtype' | 'shape'>): boolean =>
  sizeOf(shape) <= (isFloat(dtype) ? smallFloats : smallIntegers);
