import type { Tensor } from '@espalier/core';

/** Tells whether an output is the same for every sample. */
export interface SampleVariation {
  /** One run of `samples` samples, along the first axis where the output has that many rows. */
  add(output: Tensor, samples: number): void;
  /** True from the second sample on, while all were equal but for numbers below the normal ones of float32; false with fewer. */
  constant(): boolean;
}

/** Keeps the first sample alone, whatever the number of samples. */
export function createSampleVariation(): SampleVariation {
  let first: ArrayLike<unknown> | undefined;
  let seen = 0;
  let varies = false;
  return {
    add({ data, shape }, samples) {
      const rows = shape[0] === samples && samples > 0 && data.length % samples === 0 ? samples : 1;
      const each = data.length / rows;
      for (let row = 0; row < rows && !varies; row++) {
        seen++;
        if (first) varies = first.length !== each || differs(data, { from: row * each, first });
        else first = Array.from({ length: each }, (_, i) => data[i]);
      }
    },
    constant: () => seen > 1 && !varies,
  };
}

/** Zero, or a number so small that runtimes may flush it to zero. */
const isNothing = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) < 2 ** -126;

function differs(
  data: ArrayLike<unknown>,
  { from, first }: { readonly from: number; readonly first: ArrayLike<unknown> },
): boolean {
  for (let i = 0; i < first.length; i++) {
    const [a, b] = [data[from + i], first[i]];
    if (!Object.is(a, b) && !(isNothing(a) && isNothing(b))) return true;
  }
  return false;
}
