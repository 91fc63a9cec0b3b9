import { type Tensor, toFloats } from '@espalier/core';
import { parametersInvalid } from './errors.js';

/** The distance of a quantized tensor from the real one. */
export interface QuantizationError {
  /** Mean of (x - y)^2, in units of x squared. */
  readonly meanSquared: number;
  /** Largest |x - y|. */
  readonly maxAbsolute: number;
  /** 10 log10(sum x^2 / sum (x - y)^2), in decibels; Infinity when equal. */
  readonly snrDb: number;
}

/**
 * Compares a tensor with its quantized form. `[1, 1]` against `[1, 0]`: mean squared 0.5, largest 1, 3.01 dB.
 * @throws QUANTIZE_PARAMETERS when the shapes differ.
 */
export function quantizationError(reference: Tensor, other: Tensor): QuantizationError {
  const x = toFloats(reference);
  const y = toFloats(other);
  if (x.length !== y.length) throw parametersInvalid(reference.shape, `${x.length} elements`, `${y.length}`);
  let noise = 0;
  let signal = 0;
  let maxAbsolute = 0;
  for (let i = 0; i < x.length; i++) {
    const gap = x[i]! - y[i]!;
    noise += gap * gap;
    signal += x[i]! * x[i]!;
    maxAbsolute = Math.max(maxAbsolute, Math.abs(gap));
  }
  const snrDb = noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
  return { meanSquared: x.length === 0 ? 0 : noise / x.length, maxAbsolute, snrDb };
}
