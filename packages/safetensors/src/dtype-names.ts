import type { DType } from '@espalier/core';

/** Names of dtypes in safetensors headers. */
export const dtypeNames = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8e4m3fn',
  F8_E5M2: 'float8e5m2',
  F8_E8M0: 'float8e8m0',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
  C64: 'complex64',
} as const satisfies Readonly<Record<string, DType>>;

/** A dtype name as a header writes it. */
export type DTypeName = keyof typeof dtypeNames;

/** The header's name of a dtype; undefined where safetensors has none. */
export const nameOfDtype = (dtype: DType): DTypeName | undefined =>
  (Object.keys(dtypeNames) as DTypeName[]).find((name) => dtypeNames[name] === dtype); // keys of the table itself
