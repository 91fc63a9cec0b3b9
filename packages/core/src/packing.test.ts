import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack } from './packing.js';

describe('packed integers', () => {
  it('puts element 0 in the low bits and leaves the odd tail zero', () => {
    expect([...pack([1, -2, 3], 4)]).toEqual([0xe1, 0x03]);
    expect([...pack([0, 1, 2, 3, 1], 2)]).toEqual([0b11100100, 0b01]);
  });

  it('extends the sign of signed codes only', () => {
    expect([...unpack(Uint8Array.of(0xe1, 0x03), 3, 4, true)]).toEqual([1, -2, 3]);
    expect([...unpack(Uint8Array.of(0xe1, 0x03), 3, 4, false)]).toEqual([1, 14, 3]);
    expect([...unpack(Uint8Array.of(0b11100100), 4, 2, true)]).toEqual([0, 1, -2, -1]);
  });

  it('gives back what was packed', () => {
    const cases = fc.constantFrom({ bits: 4, signed: true }, { bits: 4, signed: false }, { bits: 2, signed: true }, {
      bits: 2,
      signed: false,
    } as const);
    fc.assert(
      fc.property(cases, fc.array(fc.nat(255)), ({ bits, signed }, raw) => {
        const width = bits as 2 | 4;
        const low = signed ? -(2 ** (width - 1)) : 0;
        const values = raw.map((each) => low + (each % 2 ** width));
        expect([...unpack(pack(values, width), values.length, width, signed)]).toEqual(values);
      }),
    );
  });
});
