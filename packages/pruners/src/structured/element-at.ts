import { type AxisPort, sizeOf } from '@espalier/core';

/** One element of a constant vector, or of one of the size 1. */
export function elementAt({ constant, shape }: AxisPort, index: number): number {
  if (constant?.dtype !== 'float32') return Number.NaN;
  return constant.data[sizeOf(shape) === 1 ? 0 : index] ?? Number.NaN;
}
