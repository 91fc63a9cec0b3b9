import { memoryFiles } from '@espalier/core';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { npy } from './npy.js';
import { npz, readNpz } from './npz.js';
import { labelsOf } from './subset.js';

// Written by numpy 2.4: np.savez_compressed with x = arange(12, dtype='<f4').reshape(3, 2, 2) and y = [2, 0, 1] (int64).
const bytes = Uint8Array.from(
  atob(
    'UEsDBC0AAAAIAAAAIQAi8zQl//////////8FABQAeC5ucHkBABAAsAAAAAAAAABnAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CkZApKmjUKtAHuBiAIMGeyDhAERA3ADEC4D4ABA/AGIGRwYGASBWAGIDRwBQSwMELQAAAAgAAAAhAIoazhP//////////wUAFAB5Lm5weQEAEACYAAAAAAAAAEoAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjqaOgq1ChQALiYGVMAIpQFQSwECLQMtAAAACAAAACEAIvM0JWcAAACwAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwECLQMtAAAACAAAACEAihrOE0oAAACYAAAABQAAAAAAAAAAAAAAgAGeAAAAeS5ucHlQSwUGAAAAAAIAAgBmAAAAHwEAAAAA',
  ),
  (c) => c.charCodeAt(0),
);
const files = memoryFiles(
  new Map([
    ['a.npz', bytes],
    ['b.npy', readEntry()],
    ['c.npz', bytes.subarray(0, 200)],
    ['d.npz', zipSync({ 'readme.txt': new Uint8Array(3) })],
  ]),
);

function readEntry(): Uint8Array {
  const header = new TextEncoder().encode("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n");
  return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0, ...header, 1, 2, 3, 4, 5, 6]);
}

describe('npz', () => {
  it('keeps names and dtypes of the arrays, and takes one for the labels', async () => {
    const set = await npz({ path: 'a.npz', label: 'y' })({ files, seed: 0 });
    expect([...set.fields]).toEqual([
      ['x', { dtype: 'float32', shape: [2, 2] }],
      ['label', { dtype: 'int32', shape: [] }],
    ]);
    expect(await labelsOf(set)).toEqual(Int32Array.of(2, 0, 1));
    expect((await set.read([1])).get('x')!.data).toEqual(Float32Array.of(4, 5, 6, 7));
  });

  it('keeps all arrays when none is called label', async () => {
    expect([...(await npz({ path: 'a.npz' })({ files, seed: 0 })).fields.keys()]).toEqual(['x', 'y']);
  });

  it.each([
    ['an array that is not there', () => npz({ path: 'a.npz', label: 'z' }), 'DATA_EMPTY'],
    ['a damaged archive', () => npz({ path: 'c.npz' }), 'DATA_FORMAT'],
    ['an archive of other files', () => npz({ path: 'd.npz' }), 'DATA_EMPTY'],
    ['another format', () => npz({ path: 'b.npy' }), 'DATA_FORMAT'],
  ])('refuses %s', async (_, make, code) => {
    await expect(make()({ files, seed: 0 })).rejects.toMatchObject({ code });
  });

  it('stops before it unpacks more than the limit', () => {
    const bomb = zipSync({ 'x.npy': new Uint8Array(2 ** 22) });
    expect(() => readNpz(bomb, { where: 'x', limit: 2 ** 20 })).toThrow(
      expect.objectContaining({ code: 'DATA_LIMIT' }),
    );
  });
});

describe('npy', () => {
  it('reads one array as one field', async () => {
    const set = await npy({ path: 'b.npy', field: 'tokens' })({ files, seed: 0 });
    expect((await set.read([1])).get('tokens')).toEqual({
      dtype: 'uint8',
      shape: [1, 3],
      data: Uint8Array.of(4, 5, 6),
    });
  });
});
