import type { DType } from './dtype.js';

const scratch = new DataView(new ArrayBuffer(8));

/** One element layout: exponent and mantissa width, exponent bias, and what its top codes mean. */
interface Layout {
  readonly exponent: number;
  readonly mantissa: number;
  readonly bias: number;
  /** ieee: infinities and NaNs; fn: NaN only, at all ones; fnuz: NaN is the negative-zero code; finite: neither. */
  readonly special: 'ieee' | 'fn' | 'fnuz' | 'finite';
}

const layouts = {
  float16: { exponent: 5, mantissa: 10, bias: 15, special: 'ieee' },
  bfloat16: { exponent: 8, mantissa: 7, bias: 127, special: 'ieee' },
  float8e4m3fn: { exponent: 4, mantissa: 3, bias: 7, special: 'fn' },
  float8e4m3fnuz: { exponent: 4, mantissa: 3, bias: 8, special: 'fnuz' },
  float8e5m2: { exponent: 5, mantissa: 2, bias: 15, special: 'ieee' },
  float8e5m2fnuz: { exponent: 5, mantissa: 2, bias: 16, special: 'fnuz' },
  float4e2m1: { exponent: 2, mantissa: 1, bias: 1, special: 'finite' },
} as const satisfies Partial<Record<DType, Layout>>;

/** Floating formats below 32 bits that have sign, exponent and mantissa. */
export type SmallFloat = keyof typeof layouts;

/** Whether `dtype` is one of the small floating formats. */
export const isSmallFloat = (dtype: DType): dtype is SmallFloat => Object.hasOwn(layouts, dtype);

/** The value of a code: (-1)^s 2^(e-bias) (1 + m/2^M), with subnormals at e = 0 (ONNX, "Float stored in 8 bits"). */
export function decodeFloat(format: SmallFloat, code: number): number {
  const { exponent, mantissa, bias, special }: Layout = layouts[format];
  const sign = (code >> (exponent + mantissa)) & 1 ? -1 : 1;
  const top = (1 << exponent) - 1;
  const e = (code >> mantissa) & top;
  const m = code & ((1 << mantissa) - 1);
  if (special === 'fnuz' && sign < 0 && e === 0 && m === 0) return Number.NaN;
  if (special === 'ieee' && e === top) return m === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (special === 'fn' && e === top && m === (1 << mantissa) - 1) return Number.NaN;
  const scale = 2 ** -mantissa;
  return e === 0 ? sign * m * scale * 2 ** (1 - bias) : sign * (1 + m * scale) * 2 ** (e - bias);
}

/** The largest finite value of a format. */
export function largestFinite(format: SmallFloat): number {
  const { exponent, mantissa, bias, special }: Layout = layouts[format];
  const top = (1 << exponent) - 1 - (special === 'ieee' ? 1 : 0);
  const m = (1 << mantissa) - 1 - (special === 'fn' ? 1 : 0);
  return (1 + m * 2 ** -mantissa) * 2 ** (top - bias);
}

/**
 * The nearest code, ties to even. Beyond the largest finite value: infinity where the format has it (as IEEE
 * rounding does), else the largest value (`saturate`, the ONNX default); NaN where the format has it, else 0.
 */
export function encodeFloat(format: SmallFloat, value: number): number {
  const { exponent, mantissa, bias, special }: Layout = layouts[format];
  const top = (1 << exponent) - 1;
  const negative = value < 0 || Object.is(value, -0);
  const signBit = negative ? 1 << (exponent + mantissa) : 0;
  if (Number.isNaN(value)) {
    if (special === 'ieee') return (top << mantissa) | (1 << (mantissa - 1));
    if (special === 'fn') return (top << mantissa) | ((1 << mantissa) - 1);
    return special === 'fnuz' ? 1 << (exponent + mantissa) : 0;
  }
  const magnitude = Math.abs(value);
  const e = Math.max(exponentOf(magnitude), 1 - bias);
  const steps = roundHalfEven(magnitude / 2 ** (e - mantissa));
  const rounded = steps * 2 ** (e - mantissa);
  if (rounded > largestFinite(format)) {
    if (special === 'ieee') return signBit | (top << mantissa);
    return signBit | encodeFloat(format, largestFinite(format));
  }
  if (rounded === 0) return special === 'fnuz' ? 0 : signBit;
  // A carry out of the mantissa moves to the next exponent by plain addition.
  const code = (Math.max(e + bias, 1) << mantissa) + (steps - (1 << mantissa));
  return signBit | code;
}

// Adding 1.5 * 2^52 pushes the fraction of a double out of its mantissa, rounding to nearest, ties to even.
const shift = 6755399441055744;
const exact = 2 ** 51;

/** Rounds to the nearest whole number, ties to the even one, as ONNX QuantizeLinear does. `roundHalfEven(2.5)` is 2. */
export function roundHalfEven(value: number): number {
  if (value > -exact && value < exact) return value + shift - shift;
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function exponentOf(magnitude: number): number {
  if (magnitude === 0 || !Number.isFinite(magnitude)) return magnitude === 0 ? -1074 : 1024;
  scratch.setFloat64(0, magnitude);
  const biased = (scratch.getUint16(0) >> 4) & 0x7ff;
  return biased === 0 ? Math.floor(Math.log2(magnitude)) : biased - 1023;
}

const table16 = new Map<SmallFloat, Float32Array>();

/** Codes to float32 values; 16-bit formats go through a table of 65,536 entries made once. */
export function decodeFloats(format: SmallFloat, codes: ArrayLike<number>): Float32Array {
  let table = table16.get(format);
  if (!table) {
    const bits = 1 + layouts[format].exponent + layouts[format].mantissa;
    table = Float32Array.from({ length: 1 << bits }, (_, code) => decodeFloat(format, code));
    table16.set(format, table);
  }
  const out = new Float32Array(codes.length);
  for (let i = 0; i < out.length; i++) out[i] = table[codes[i]!]!;
  return out;
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);

/** float32 values to float16 codes, ties to even; the bit form of `encodeFloat('float16', x)`, for bulk work. */
export function encodeFloat16s(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    single[0] = values[i]!;
    const bits = word[0]!;
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x47800000) {
      out[i] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    } else if (magnitude >= 0x38800000) {
      const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
      out[i] = sign | ((rounded - 0x38000000) >>> 13);
    } else {
      // Subnormal: in units of 2^-24.
      out[i] = sign | roundHalfEven(Math.abs(single[0]) * 16777216);
    }
  }
  return out;
}
