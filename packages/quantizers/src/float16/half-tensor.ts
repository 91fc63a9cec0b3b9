import { encodeFloat16s, type Tensor, tensor, toFloats } from '@espalier/core';

/** A tensor in float16 and what was lost. */
export interface HalfTensor {
  readonly tensor: Tensor<'float16'>;
  /** Elements that were not zero and are now: magnitude below 2^-25. */
  readonly flushed: number;
}

const largest = 65504;
const infinite = 0x7c00;

/**
 * The tensor in float16, ties to even; undefined when a value does not fit (|x| rounds above 65504, NaN, infinity), or
 * when a vector would lose values to zero: an epsilon or variance that vanishes is a division by zero.
 */
export function halfTensor(source: Tensor): HalfTensor | undefined {
  const values = toFloats(source);
  const codes = encodeFloat16s(values);
  let flushed = 0;
  for (let i = 0; i < codes.length; i++) {
    const magnitude = codes[i]! & 0x7fff;
    if (magnitude >= infinite) return undefined;
    if (magnitude === 0 && values[i] !== 0) flushed++;
  }
  const isVector = source.shape.filter((size) => size > 1).length < 2;
  if (isVector && flushed > 0) return undefined;
  return { tensor: tensor('float16', source.shape, codes), flushed };
}

/** The largest finite float16. */
export const largestHalf = largest;
