import { floats, fromNumbers, joinBytes, longs, type Tensor, toNumbers } from '@espalier/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from './index.js';

const file = (header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const head = new Uint8Array(8 + text.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  head.set(text, 8);
  return joinBytes([head, data]);
};

describe('safetensors', () => {
  it('reads the layout of the format: length, JSON, elements', () => {
    const data = new Uint8Array(new Float32Array([1, -2]).buffer);
    const { tensors, metadata } = readSafetensors(
      file({ __metadata__: { made: 'here' }, w: { dtype: 'F32', shape: [1, 2], data_offsets: [0, 8] } }, data),
    );
    expect(tensors.get('w')).toEqual(floats([1, -2], [1, 2]));
    expect(metadata.get('made')).toBe('here');
  });

  it('gives back what it wrote, for every dtype it has, and the same bytes for the same content', () => {
    const dtypes = [
      'float64',
      'float32',
      'float16',
      'bfloat16',
      'int64',
      'int32',
      'int16',
      'int8',
      'uint8',
      'bool',
    ] as const;
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.string(), dtype: fc.constantFrom(...dtypes), size: fc.nat(5) }), {
          maxLength: 6,
        }),
        (wanted) => {
          const tensors = new Map<string, Tensor>(
            wanted
              .filter(({ name }) => name !== '__metadata__')
              .map(({ name, dtype, size }) => [
                name,
                fromNumbers(
                  dtype,
                  [size],
                  Array.from({ length: size }, (_, i) => i % 2),
                ),
              ]),
          );
          const bytes = joinBytes(writeSafetensors({ tensors }));
          const read = readSafetensors(bytes).tensors;
          expect(new Map([...read].sort())).toEqual(new Map([...tensors].sort()));
          expect(joinBytes(writeSafetensors({ tensors: new Map([...tensors].reverse()) }))).toEqual(bytes);
        },
      ),
    );
  });

  it('does not copy aligned elements when writing, and reads misaligned ones by copy', () => {
    const w = floats([1, 2, 3]);
    expect(writeSafetensors({ tensors: new Map([['w', w]]) })[1]!.buffer).toBe(w.data.buffer);
    const data = joinBytes([new Uint8Array([7]), new Uint8Array(new Float32Array([5]).buffer)]);
    const header = {
      a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
      b: { dtype: 'F32', shape: [], data_offsets: [1, 5] },
    };
    expect(toNumbers(readSafetensors(file(header, data)).tensors.get('b')!)).toEqual([5]);
  });

  it('treats prototype names as ordinary tensors', () => {
    const { tensors } = readSafetensors(
      file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', new Uint8Array([3])),
    );
    expect(toNumbers(tensors.get('__proto__')!)).toEqual([3]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a short file', new Uint8Array(3), /a header length of 8 bytes, found 3 bytes/],
    ['a header beyond the end', new Uint8Array([255, 0, 0, 0, 0, 0, 0, 0]), /a header of at most 0 bytes, found 255/],
    ['broken JSON', file('{'), /header: expected UTF-8 JSON/],
    ['an unknown dtype', file({ w: { dtype: 'F3', shape: [], data_offsets: [0, 0] } }), /tensor "w": expected a dtype/],
    [
      'a wrong size',
      file({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, new Uint8Array(4)),
      /8 bytes for F32\[2\], found 4/,
    ],
    [
      'a hole',
      file({ w: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }, new Uint8Array(2)),
      /begin at byte 0 of the data, found 1/,
    ],
    [
      'missing data',
      file({ w: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } }, new Uint8Array(2)),
      /expected 4 bytes of data, found 2/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
  });

  it('refuses dtypes the format does not have', () => {
    expect(() => writeSafetensors({ tensors: new Map([['q', fromNumbers('int4', [2], [1, 2])]]) })).toThrow(
      /tensor "q"/,
    );
    expect(longs([1]).dtype).toBe('int64');
  });
});
