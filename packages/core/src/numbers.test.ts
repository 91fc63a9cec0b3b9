import { describe, expect, it } from 'vitest';
import { dtypes } from './dtype.js';
import { fromNumbers, toFloats, toNumbers } from './numbers.js';
import { floats, tensor } from './tensor.js';

const real = dtypes.filter((dtype) => !dtype.startsWith('complex') && dtype !== 'string' && dtype !== 'float8e8m0');

describe('numbers of a tensor', () => {
  it.each(real)('%s gives back the small numbers it holds exactly', (dtype) => {
    const values = dtype === 'bool' || dtype.startsWith('u') ? [0, 1, 1, 0, 1] : [0, 1, -1, 1, -2];
    const made = fromNumbers(dtype, [5], values);
    expect(made.dtype).toBe(dtype);
    expect(toNumbers(made)).toEqual(values);
    expect([...toFloats(made)]).toEqual(values);
  });

  it('does not copy float32', () => {
    const source = floats([1, 2]);
    expect(toFloats(source)).toBe(source.data);
  });

  it('reads powers of two from float8e8m0', () => {
    expect(toNumbers(tensor('float8e8m0', [4], Uint8Array.of(127, 128, 0, 255)))).toEqual([
      1,
      2,
      2 ** -127,
      Number.NaN,
    ]);
  });

  it('reads only as many packed elements as the shape has', () => {
    expect(toNumbers(tensor('uint4', [3], Uint8Array.of(0x21, 0xf3)))).toEqual([1, 2, 3]);
    expect(toNumbers(tensor('float4e2m1', [2], Uint8Array.of(0xd7)))).toEqual([6, -3]);
  });

  it('truncates toward zero and wraps as typed arrays do', () => {
    expect(toNumbers(fromNumbers('int8', [3], [1.9, -1.9, 200]))).toEqual([1, -1, -56]);
    expect(toNumbers(fromNumbers('int64', [2], [-3.7, 2 ** 40]))).toEqual([-3, 2 ** 40]);
    expect(toNumbers(fromNumbers('bool', [2], [0.5, 0]))).toEqual([1, 0]);
  });

  it('stores what is not a number as 0 in integers', () => {
    for (const dtype of ['int64', 'uint64', 'int32', 'int8', 'int4'] as const) {
      expect(toNumbers(fromNumbers(dtype, [2], [Number.NaN, Number.POSITIVE_INFINITY]))).toEqual([0, 0]);
    }
  });

  it('rounds float16 the same from doubles and from float32', () => {
    const values = [0.1, 1 / 3, 65519, 1e-7, -2049];
    const bulk = fromNumbers('float16', [5], Float32Array.from(values));
    expect(bulk.data).toEqual(fromNumbers('float16', [5], values.map(Math.fround)).data);
  });

  it('refuses texts and complex numbers', () => {
    expect(() => toNumbers(tensor('string', [1], ['a']))).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: tensor string[1]: expected real numbers, found string. Leave this tensor as it is: only real-valued tensors can be read as numbers.]`,
    );
    expect(() => toFloats(tensor('complex64', [1], new Float32Array(2)))).toThrow(
      expect.objectContaining({ code: 'TENSOR_DTYPE' }),
    );
    expect(() => fromNumbers('float8e8m0', [1], [1])).toThrowErrorMatchingInlineSnapshot(
      `[EspalierError: tensor float8e8m0[1]: expected a real dtype that numbers convert to, found float8e8m0. Build this tensor from its own storage with \`tensor(dtype, shape, data)\`.]`,
    );
    expect(() => fromNumbers('int8', [2], [1])).toThrow(expect.objectContaining({ code: 'TENSOR_SHAPE' }));
  });
});
