import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFloat,
  decodeFloats,
  encodeFloat,
  encodeFloat16s,
  isSmallFloat,
  largestFinite,
  roundHalfEven,
  type SmallFloat,
} from './float-formats.js';

const widths = {
  float16: 16,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float4e2m1: 4,
} satisfies Record<SmallFloat, number>;
const formats = Object.keys(widths) as SmallFloat[];

describe('codes of the small floating formats', () => {
  it.each<[SmallFloat, number, number]>([
    ['float16', 0x3c00, 1],
    ['float16', 0xc000, -2],
    ['float16', 0x7bff, 65504],
    ['float16', 0x0001, 2 ** -24],
    ['float16', 0x0400, 2 ** -14],
    ['float16', 0x7c00, Number.POSITIVE_INFINITY],
    ['float16', 0x3555, 0.333251953125],
    ['bfloat16', 0x3f80, 1],
    ['bfloat16', 0x4049, 3.140625],
    ['bfloat16', 0x0001, 2 ** -133],
    ['float8e4m3fn', 0x38, 1],
    ['float8e4m3fn', 0x7e, 448],
    ['float8e4m3fn', 0x01, 2 ** -9],
    ['float8e4m3fn', 0x7f, Number.NaN],
    ['float8e4m3fnuz', 0x40, 1],
    ['float8e4m3fnuz', 0x7f, 240],
    ['float8e4m3fnuz', 0x80, Number.NaN],
    ['float8e5m2', 0x3c, 1],
    ['float8e5m2', 0x7b, 57344],
    ['float8e5m2', 0xfc, Number.NEGATIVE_INFINITY],
    ['float8e5m2fnuz', 0x40, 1],
    ['float8e5m2fnuz', 0x7f, 57344],
    ['float8e5m2fnuz', 0x80, Number.NaN],
    ['float4e2m1', 0b0001, 0.5],
    ['float4e2m1', 0b0111, 6],
    ['float4e2m1', 0b1101, -3],
  ])('%s %i is %f', (format, code, value) => {
    expect(decodeFloat(format, code)).toBe(value);
    if (!Number.isNaN(value)) expect(encodeFloat(format, value)).toBe(code);
  });

  it.each(formats)('%s encodes the value of every code back to that code', (format) => {
    for (let code = 0; code < 2 ** widths[format]; code++) {
      const value = decodeFloat(format, code);
      const back = encodeFloat(format, value);
      if (Number.isNaN(value)) expect(decodeFloat(format, back)).toBeNaN();
      else if (back !== code) throw new Error(`${format}: code ${code} is ${value}, encoded to ${back}`);
    }
  });

  it.each(formats)('%s rounds to the nearest code, ties to the even one', (format) => {
    const sign = 2 ** (widths[format] - 1);
    let ties = 0;
    for (let code = 0; code < sign - 1; code++) {
      const [low, high] = [decodeFloat(format, code), decodeFloat(format, code + 1)];
      if (!Number.isFinite(low) || !Number.isFinite(high)) continue;
      const middle = (low + high) / 2;
      ties++;
      if (encodeFloat(format, middle) !== code + (code % 2)) throw new Error(`tie at ${middle}`);
      if (encodeFloat(format, -middle * (1 - 2 ** -20)) !== (code === 0 && format.endsWith('uz') ? 0 : code + sign))
        throw new Error(`below the tie at ${-middle}`);
      if (encodeFloat(format, middle * (1 + 2 ** -20)) !== code + 1) throw new Error(`above the tie at ${middle}`);
    }
    expect(ties).toBeGreaterThan(2 ** widths[format] / 2 - 2 ** (widths[format] - 5) - 3);
  });

  it('goes to infinity beyond the largest value where there is one, else stays at the largest', () => {
    expect(formats.map((format) => [largestFinite(format), decodeFloat(format, encodeFloat(format, -1e300))])).toEqual([
      [65504, Number.NEGATIVE_INFINITY],
      [3.3895313892515355e38, Number.NEGATIVE_INFINITY],
      [448, -448],
      [240, -240],
      [57344, Number.NEGATIVE_INFINITY],
      [57344, -57344],
      [6, -6],
    ]);
    expect(encodeFloat('float8e4m3fn', Number.POSITIVE_INFINITY)).toBe(0x7e);
    expect(encodeFloat('float4e2m1', Number.NaN)).toBe(0);
  });

  it('keeps the sign of zero where the format has one', () => {
    expect(encodeFloat('float16', -0)).toBe(0x8000);
    expect(encodeFloat('float8e4m3fnuz', -0)).toBe(0);
  });

  it('knows its own formats', () => {
    expect(isSmallFloat('float8e5m2')).toBe(true);
    expect(isSmallFloat('float32')).toBe(false);
    expect(isSmallFloat('float8e8m0')).toBe(false);
  });
});

describe('bulk float16', () => {
  it('agrees with the exact form for every float16 value, the ties between them and their neighbours', () => {
    const values: number[] = [];
    for (let code = 0; code < 0x7c00; code++) {
      const [low, high] = [decodeFloat('float16', code), code === 0x7bff ? 65536 : decodeFloat('float16', code + 1)];
      const tie = (low + high) / 2;
      values.push(low, tie, Math.fround(tie * (1 - 2 ** -12)), Math.fround(tie * (1 + 2 ** -12)));
    }
    values.push(65519.996, 65520, 65535, 65536, 1e10, 3e38, 1e-45, 2 ** -25, 2 ** -26, 0);
    const both = Float32Array.from([...values, ...values.map((each) => -each)]);
    const codes = encodeFloat16s(both);
    const wrong = codes.findIndex((code, i) => code !== encodeFloat('float16', both[i]!));
    expect(wrong === -1 ? 'none' : both[wrong]).toBe('none');
    expect(codes).toHaveLength(2 * (0x7c00 * 4 + 10));
  });

  it('agrees with the exact form for any float32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        expect(encodeFloat16s(Float32Array.of(value))[0]).toBe(encodeFloat('float16', value));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps infinities and NaN', () => {
    const codes = encodeFloat16s(Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN));
    expect([...codes.slice(0, 2)]).toEqual([0x7c00, 0xfc00]);
    expect(decodeFloat('float16', codes[2]!)).toBeNaN();
  });

  it('decodes through its table as one by one', () => {
    const codes = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = decodeFloats('bfloat16', codes);
    expect(values.every((value, i) => Object.is(value, Math.fround(decodeFloat('bfloat16', i))))).toBe(true);
  });
});

describe('roundHalfEven', () => {
  it('rounds halves to the even neighbour', () => {
    expect(
      [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, 2.6].map(roundHalfEven).map((each) => each + 0),
    ).toEqual([-2, -2, 0, 0, 2, 2, 0, 3]);
  });

  it('is never further than a half away', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (value) => {
        const rounded = roundHalfEven(value);
        expect(Number.isInteger(rounded)).toBe(true);
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});
