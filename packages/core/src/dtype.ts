/** Bits of one element, and the typed array that holds it (packed types share bytes, low bits first). */
const facts = {
  float64: { bits: 64, array: Float64Array, kind: 'float' },
  float32: { bits: 32, array: Float32Array, kind: 'float' },
  float16: { bits: 16, array: Uint16Array, kind: 'float' },
  bfloat16: { bits: 16, array: Uint16Array, kind: 'float' },
  float8e4m3fn: { bits: 8, array: Uint8Array, kind: 'float' },
  float8e4m3fnuz: { bits: 8, array: Uint8Array, kind: 'float' },
  float8e5m2: { bits: 8, array: Uint8Array, kind: 'float' },
  float8e5m2fnuz: { bits: 8, array: Uint8Array, kind: 'float' },
  float8e8m0: { bits: 8, array: Uint8Array, kind: 'float' },
  float4e2m1: { bits: 4, array: Uint8Array, kind: 'float' },
  int64: { bits: 64, array: BigInt64Array, kind: 'integer' },
  int32: { bits: 32, array: Int32Array, kind: 'integer' },
  int16: { bits: 16, array: Int16Array, kind: 'integer' },
  int8: { bits: 8, array: Int8Array, kind: 'integer' },
  int4: { bits: 4, array: Uint8Array, kind: 'integer' },
  int2: { bits: 2, array: Uint8Array, kind: 'integer' },
  uint64: { bits: 64, array: BigUint64Array, kind: 'integer' },
  uint32: { bits: 32, array: Uint32Array, kind: 'integer' },
  uint16: { bits: 16, array: Uint16Array, kind: 'integer' },
  uint8: { bits: 8, array: Uint8Array, kind: 'integer' },
  uint4: { bits: 4, array: Uint8Array, kind: 'integer' },
  uint2: { bits: 2, array: Uint8Array, kind: 'integer' },
  bool: { bits: 8, array: Uint8Array, kind: 'bool' },
  complex64: { bits: 64, array: Float32Array, kind: 'complex' },
  complex128: { bits: 128, array: Float64Array, kind: 'complex' },
  string: { bits: 0, array: Array, kind: 'text' },
} as const;

/** Element types of ONNX tensors, by their usual names. */
export type DType = keyof typeof facts;

/** The array that holds the elements of each dtype: raw bits for the 16-bit and 8-bit floats, packed bytes below 8 bits. */
export interface DataOf {
  float64: Float64Array;
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  float8e4m3fn: Uint8Array;
  float8e4m3fnuz: Uint8Array;
  float8e5m2: Uint8Array;
  float8e5m2fnuz: Uint8Array;
  float8e8m0: Uint8Array;
  float4e2m1: Uint8Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int16: Int16Array;
  int8: Int8Array;
  int4: Uint8Array;
  int2: Uint8Array;
  uint64: BigUint64Array;
  uint32: Uint32Array;
  uint16: Uint16Array;
  uint8: Uint8Array;
  uint4: Uint8Array;
  uint2: Uint8Array;
  bool: Uint8Array;
  complex64: Float32Array;
  complex128: Float64Array;
  string: readonly string[];
}

/** A typed array that can hold tensor elements. */
export type TypedArray = Exclude<DataOf[DType], readonly string[]>;

/** All dtypes, in a fixed order. */
export const dtypes = Object.keys(facts) as readonly DType[];

/** Bits of one element; 0 for strings. */
export const bitsOf = (dtype: DType): number => facts[dtype].bits;

/** Whether elements are real numbers stored in a floating format. */
export const isFloat = (dtype: DType): boolean => facts[dtype].kind === 'float';

/** Whether elements are whole numbers. */
export const isInteger = (dtype: DType): boolean => facts[dtype].kind === 'integer';

/** Whether several elements share one byte. */
export const isPacked = (dtype: DType): boolean => facts[dtype].bits > 0 && facts[dtype].bits < 8;

/** Bytes that `count` elements take; packed types round up to a whole byte. Strings have no fixed size: 0. */
export const bytesFor = (dtype: DType, count: number): number => Math.ceil((count * facts[dtype].bits) / 8);

/** Length of the array that holds `count` elements of `dtype`. */
export function storageLength(dtype: DType, count: number): number {
  if (isPacked(dtype)) return bytesFor(dtype, count);
  return facts[dtype].kind === 'complex' ? count * 2 : count;
}

type Constructor = new (buffer: ArrayBufferLike, offset: number, length: number) => TypedArray;

/** A view of `length` storage elements over existing bytes; `offset` must be a multiple of the element size. */
export function viewAs<D extends Exclude<DType, 'string'>>(dtype: D, bytes: Uint8Array, length: number): DataOf[D] {
  const Typed = facts[dtype].array as unknown as Constructor; // the table pairs each dtype with its array
  return new Typed(bytes.buffer, bytes.byteOffset, length) as DataOf[D];
}

/** Zero-filled storage for `count` elements of `dtype`. */
export function allocate<D extends DType>(dtype: D, count: number): DataOf[D] {
  if (dtype === 'string') return new Array<string>(count).fill('') as unknown as DataOf[D]; // DataOf.string is string[]
  const Typed = facts[dtype].array as unknown as new (length: number) => TypedArray; // as above
  return new Typed(storageLength(dtype, count)) as DataOf[D];
}

/** Smallest element size that a view of `dtype` must be aligned to, in bytes. */
export const alignmentOf = (dtype: DType): number => {
  const array = facts[dtype].array;
  return 'BYTES_PER_ELEMENT' in array ? array.BYTES_PER_ELEMENT : 1;
};
