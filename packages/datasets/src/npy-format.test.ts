import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNpy } from './npy-format.js';

/** An NPY file of version 1 with this header text. */
function npy(header: string, body: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(`${header}\n`);
  const out = new Uint8Array(10 + text.length + body.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  out.set(text, 10);
  out.set(body, 10 + text.length);
  return out;
}
const plain = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

// Written by numpy 2.4: np.save of np.asfortranarray(np.arange(6, dtype='<f8').reshape(2, 3)).
const columns =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAAhAAAAAAAAA8D8AAAAAAAAQQAAAAAAAAABAAAAAAAAAFEA=';

describe('readNpy', () => {
  it('reads what numpy wrote by columns as rows', () => {
    const bytes = Uint8Array.from(atob(columns), (c) => c.charCodeAt(0));
    expect(readNpy(bytes, 'x')).toEqual({ dtype: 'float64', shape: [2, 3], data: Float64Array.of(0, 1, 2, 3, 4, 5) });
  });

  it('reads both byte orders, booleans, scalars and Python 2 shapes', () => {
    expect(readNpy(npy(plain('>i2', '(2,)'), Uint8Array.of(1, 2, 255, 254)), 'x').data).toEqual(Int16Array.of(258, -2));
    expect(readNpy(npy(plain('|b1', '(2L,)'), Uint8Array.of(1, 0)), 'x')).toMatchObject({ dtype: 'bool', shape: [2] });
    expect(readNpy(npy(plain('<i8', '()'), bytesOf(BigInt64Array.of(5n))), 'x')).toMatchObject({ shape: [] });
    expect(readNpy(npy(plain('<f2', '(1,)'), Uint8Array.of(0, 0x3c)), 'x')).toMatchObject({ dtype: 'float16' });
  });

  it('reads bytes that begin at any address', () => {
    const file = npy(plain('<f4', '(1,)'), bytesOf(Float32Array.of(2.5)));
    const moved = new Uint8Array(file.length + 3);
    moved.set(file, 3);
    expect(readNpy(moved.subarray(3), 'x').data).toEqual(Float32Array.of(2.5));
  });

  it('puts columns of any shape into row order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const body = Uint8Array.from({ length: size }, (_, i) => i);
        const { data } = readNpy(npy(plain('|u1', `(${shape.join(', ')},)`, 'True'), body), 'x');
        let [stride, at] = [1, 0];
        const index = shape.map((dim) => Math.floor(dim / 2));
        index.forEach((i, axis) => {
          at += i * stride;
          stride *= shape[axis]!;
        });
        const row = index.reduce((sum, i, axis) => sum * shape[axis]! + i, 0);
        expect(data[row]).toBe(at);
      }),
    );
  });

  it.each([
    ['another format', new Uint8Array(64)],
    ['pickled objects', npy(plain('|O', '(1,)'), new Uint8Array(8))],
    ['structured types', npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", new Uint8Array(4))],
    ['text', npy(plain('<U4', '(1,)'), new Uint8Array(16))],
    ['an unknown dtype that objects inherit', npy(plain('|valueOf', '(1,)'))],
    ['code in the header', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }")],
    ['a missing shape', npy("{'descr': '<f4', 'fortran_order': False}")],
    ['a shape beyond all memory', npy(plain('<f8', '(99999999999, 99999999999)'))],
    ['elements cut short', npy(plain('<f4', '(3,)'), new Uint8Array(11))],
    ['elements left over', npy(plain('<f4', '(3,)'), new Uint8Array(13))],
    ['a header beyond the file', npy(plain('<f4', '(3,)')).subarray(0, 40)],
    ['a version of the future', npy(plain('<f4', '(0,)')).fill(9, 6, 7)],
  ])('refuses %s', (_, bytes) => {
    expect(() => readNpy(bytes, 'bad.npy')).toThrow(
      expect.objectContaining({ code: 'DATA_FORMAT', message: expect.stringContaining('bad.npy') }),
    );
  });
});
