import { sizeOf, type Tensor, tensor, toNumbers } from '@espalier/core';

/** A float64 array with its shape. */
export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Reads a tensor as float64. */
export const read = (from: Tensor | undefined): Array64 => {
  if (!from) throw new Error('an input is missing');
  return { shape: from.shape, data: from.dtype === 'float64' ? from.data : Float64Array.from(toNumbers(from)) };
};

/** Zeros to be filled in. */
export const zeros64 = (shape: readonly number[]): Array64 => ({ shape, data: new Float64Array(sizeOf(shape)) });

/** As a tensor. */
export const written = ({ shape, data }: Array64): Tensor => tensor('float64', shape, data);

/** Sums f(i) over a range. */
export function sum(count: number, f: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += f(i);
  return total;
}
