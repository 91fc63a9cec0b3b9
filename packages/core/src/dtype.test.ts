import { describe, expect, it } from 'vitest';
import {
  alignmentOf,
  allocate,
  bitsOf,
  bytesFor,
  dtypes,
  isFloat,
  isInteger,
  isPacked,
  storageLength,
  viewAs,
} from './dtype.js';

describe('dtypes', () => {
  it('knows every element type of ONNX tensors', () => {
    expect(dtypes).toHaveLength(26);
    expect(dtypes.filter(isPacked)).toEqual(['float4e2m1', 'int4', 'int2', 'uint4', 'uint2']);
    expect(dtypes.filter((dtype) => !isFloat(dtype) && !isInteger(dtype))).toEqual([
      'bool',
      'complex64',
      'complex128',
      'string',
    ]);
  });

  it('rounds packed types up to whole bytes', () => {
    expect([0, 1, 2, 3].map((count) => bytesFor('int4', count))).toEqual([0, 1, 1, 2]);
    expect([0, 1, 4, 5].map((count) => bytesFor('uint2', count))).toEqual([0, 1, 1, 2]);
    expect(bytesFor('float16', 3)).toBe(6);
    expect(bytesFor('string', 9)).toBe(0);
  });

  it.each(dtypes)('allocates zeros of the right length for %s', (dtype) => {
    const data = allocate(dtype, 5);
    expect(data.length).toBe(storageLength(dtype, 5));
    expect([...(data as Iterable<unknown>)].every((each) => each === 0 || each === 0n || each === '')).toBe(true);
    if (dtype !== 'string') expect((data as Uint8Array).byteLength).toBe(bytesFor(dtype, 5));
  });

  it('stores a complex number as two neighbours', () => {
    expect(storageLength('complex64', 3)).toBe(6);
    expect(bitsOf('complex128')).toBe(128);
  });

  it('views existing bytes without copying them', () => {
    const bytes = new Uint8Array([0, 0, 0, 0, 1, 2, 3, 4]);
    const view = viewAs('int16', bytes.subarray(4), 2);
    expect([...view]).toEqual([0x0201, 0x0403]);
    bytes[4] = 9;
    expect(view[0]).toBe(0x0209);
  });

  it('tells the alignment a view needs', () => {
    expect(alignmentOf('int64')).toBe(8);
    expect(alignmentOf('bfloat16')).toBe(2);
    expect(alignmentOf('int4')).toBe(1);
    expect(alignmentOf('string')).toBe(1);
  });
});
