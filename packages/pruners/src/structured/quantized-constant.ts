import { type AxisPort, bitsOf, isInteger, roundHalfEven, toNumbers } from '@espalier/core';
import { elementAt } from './element-at.js';

/**
 * A constant after QuantizeLinear or DequantizeLinear: the real number that its code stands for, in both cases, for
 * codes are traced by their real values. NaN where scale and zero point are not known.
 */
export function quantizedConstant(
  op: string,
  at: { readonly value: number; readonly inputs: readonly (AxisPort | undefined)[]; readonly index: number },
): number {
  const { value, index: i } = at;
  const [, scale, zeroPoint] = at.inputs;
  if (op === 'DequantizeLinear') return value;
  const size = scale ? elementAt(scale, i) : Number.NaN;
  const dtype = zeroPoint?.constant?.dtype ?? 'uint8';
  if (!(size > 0) || !isInteger(dtype) || (zeroPoint && !zeroPoint.constant)) return Number.NaN;
  const zeros = zeroPoint?.constant ? toNumbers(zeroPoint.constant) : [0];
  const zero = zeros[zeros.length === 1 ? 0 : i]!;
  const low = dtype.startsWith('u') ? 0 : -(2 ** (bitsOf(dtype) - 1));
  const code = Math.min(Math.max(roundHalfEven(value / size) + zero, low), low + 2 ** bitsOf(dtype) - 1);
  return (code - zero) * size;
}
