import { describe, expect, it } from 'vitest';
import { byteLength, floats, longs, reshaped, scalar, sizeOf, tensor, zeros } from './tensor.js';

describe('tensors', () => {
  it('counts the elements of a shape, one for a scalar', () => {
    expect(sizeOf([])).toBe(1);
    expect(sizeOf([2, 3, 4])).toBe(24);
    expect(sizeOf([5, 0])).toBe(0);
  });

  it('keeps the array it is given', () => {
    const data = new Float32Array([1, 2]);
    expect(tensor('float32', [2, 1], data).data).toBe(data);
    expect(floats(data).data).toBe(data);
    expect(reshaped(floats(data), [1, 2]).data).toBe(data);
  });

  it('makes float32 and int64 tensors from numbers', () => {
    expect(floats([1, 2, 3, 4], [2, 2])).toEqual({
      dtype: 'float32',
      shape: [2, 2],
      data: new Float32Array([1, 2, 3, 4]),
    });
    expect(longs([-1, 3]).data).toEqual(new BigInt64Array([-1n, 3n]));
    expect(scalar(2.5).shape).toEqual([]);
    expect(zeros('int4', [3]).data).toEqual(new Uint8Array(2));
  });

  it('counts bytes as a file would store them', () => {
    expect(byteLength(zeros('int4', [3]))).toBe(2);
    expect(byteLength(zeros('bfloat16', [3]))).toBe(6);
    expect(byteLength(tensor('string', [2], ['é', 'ab']))).toBe(4);
  });

  it('refuses elements that do not fit the shape', () => {
    expect(() => tensor('float32', [2, 2], new Float32Array(3))).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: tensor float32[2,2]: expected 4 stored elements, found 3. Pass a shape whose product is the number of elements (packed types: rounded up to whole bytes).]`,
    );
    expect(() => tensor('int4', [3], new Uint8Array(3))).toThrow(expect.objectContaining({ code: 'TENSOR_SHAPE' }));
    for (const shape of [[-1, -1], [0.5, 2], [Number.NaN], [2 ** 53, 0]]) {
      expect(() => tensor('float32', shape, new Float32Array(1))).toThrow(
        expect.objectContaining({ code: 'TENSOR_SHAPE' }),
      );
    }
  });
});

describe('longs', () => {
  it('keeps the mark for "to the end" at the end of int64 instead of wrapping round', () => {
    expect(longs([2 ** 63, -(2 ** 63), 7]).data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 7n));
  });
});
