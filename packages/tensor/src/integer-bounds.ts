import type { DType } from '@espalier/core';

/** Smallest and largest integer of each type that quantizers write. */
export const integerBounds: Readonly<Partial<Record<DType, readonly [low: number, high: number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int4: [-8, 7],
  uint4: [0, 15],
  int2: [-2, 1],
  uint2: [0, 3],
};
