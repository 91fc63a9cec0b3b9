import type { DType } from '@espalier/core';

/** The typed field of TensorProto that holds the elements of a dtype when there is no raw data. */
export type DataField = 'float_data' | 'double_data' | 'int32_data' | 'int64_data' | 'uint64_data' | 'string_data';

/**
 * Each dtype's number in TensorProto.DataType, its typed field, and the IR version that brought it. Packed types
 * store one byte (two or four elements) in each entry of int32_data.
 */
export const dataTypes = {
  float32: { code: 1, field: 'float_data', since: 1 },
  uint8: { code: 2, field: 'int32_data', since: 1 },
  int8: { code: 3, field: 'int32_data', since: 1 },
  uint16: { code: 4, field: 'int32_data', since: 1 },
  int16: { code: 5, field: 'int32_data', since: 1 },
  int32: { code: 6, field: 'int32_data', since: 1 },
  int64: { code: 7, field: 'int64_data', since: 1 },
  string: { code: 8, field: 'string_data', since: 1 },
  bool: { code: 9, field: 'int32_data', since: 1 },
  float16: { code: 10, field: 'int32_data', since: 1 },
  float64: { code: 11, field: 'double_data', since: 1 },
  uint32: { code: 12, field: 'uint64_data', since: 1 },
  uint64: { code: 13, field: 'uint64_data', since: 1 },
  complex64: { code: 14, field: 'float_data', since: 1 },
  complex128: { code: 15, field: 'double_data', since: 1 },
  bfloat16: { code: 16, field: 'int32_data', since: 4 },
  float8e4m3fn: { code: 17, field: 'int32_data', since: 9 },
  float8e4m3fnuz: { code: 18, field: 'int32_data', since: 9 },
  float8e5m2: { code: 19, field: 'int32_data', since: 9 },
  float8e5m2fnuz: { code: 20, field: 'int32_data', since: 9 },
  uint4: { code: 21, field: 'int32_data', since: 10 },
  int4: { code: 22, field: 'int32_data', since: 10 },
  float4e2m1: { code: 23, field: 'int32_data', since: 11 },
  float8e8m0: { code: 24, field: 'int32_data', since: 12 },
  uint2: { code: 25, field: 'int32_data', since: 13 },
  int2: { code: 26, field: 'int32_data', since: 13 },
} as const satisfies Record<DType, { code: number; field: DataField; since: number }>;

const byCode: ReadonlyMap<number, DType> = /* @__PURE__ */ new Map(
  (Object.entries(dataTypes) as [DType, { code: number }][]).map(([dtype, { code }]) => [code, dtype]),
);

/** The dtype of a number of TensorProto.DataType; undefined for 0 (none) and unknown ones. */
export const dtypeOf = (code: number | undefined): DType | undefined => byCode.get(code ?? 0);
