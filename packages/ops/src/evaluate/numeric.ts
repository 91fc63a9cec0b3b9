import { allocate, type DType, decodeFloats, fromNumbers, sizeOf, type Tensor, tensor } from '@espalier/core';

/** Dtypes that arithmetic is defined on here; the 8-bit and 4-bit formats only store. */
const counted = new Set<DType>([
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int32',
  'int16',
  'int8',
  'uint32',
  'uint16',
  'uint8',
  'bool',
]);

/** Elements as plain numbers without a copy where the storage allows; undefined for int64 and what only stores. */
export function numbersOf({ dtype, data }: Tensor): ArrayLike<number> | undefined {
  if (dtype === 'float16' || dtype === 'bfloat16') return decodeFloats(dtype, data);
  return counted.has(dtype) ? (data as ArrayLike<number>) : undefined; // all of the set hold numbers
}

/** Elements as bigints; undefined for everything but 64-bit integers. */
export const bigintsOf = ({ dtype, data }: Tensor): BigInt64Array | BigUint64Array | undefined =>
  dtype === 'int64' || dtype === 'uint64' ? (data as BigInt64Array | BigUint64Array) : undefined; // as their dtypes say

/**
 * Room for results of a dtype: writing rounds to nearest even (floats) or wraps (integers), as the dtype does.
 * The small floats are computed in float32 and rounded once more by `finish`, as runtimes do.
 */
export function resultsOf(dtype: DType, shape: readonly number[]): { values: number[]; finish: () => Tensor } {
  const small = dtype === 'float16' || dtype === 'bfloat16';
  const room = small ? new Float32Array(sizeOf(shape)) : allocate(dtype, sizeOf(shape));
  return {
    values: room as unknown as number[], // a typed array of numbers: indexed writes are all that is done
    finish: () => (small ? fromNumbers(dtype, shape, room as Float32Array) : tensor(dtype, shape, room as never)), // allocated for dtype
  };
}

/** All elements as safe whole numbers; undefined for other dtypes and beyond 2^53. Used for axes, indices and shapes. */
export function wholeNumbersOf(source: Tensor | undefined): readonly number[] | undefined {
  if (!source) return undefined;
  if (source.dtype === 'int64' || source.dtype === 'uint64') {
    const values = Array.from(source.data as ArrayLike<bigint>, Number);
    return values.every((v) => Number.isSafeInteger(v) || Math.abs(v) >= 2 ** 62) ? values : undefined;
  }
  return source.dtype === 'int32' || source.dtype === 'bool' ? Array.from(source.data) : undefined;
}
