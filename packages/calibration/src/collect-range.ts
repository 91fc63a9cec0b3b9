import { type Collector, type Range, type Tensor, toFloats } from '@espalier/core';
import { notFinite } from './errors.js';

/**
 * Smallest and largest value: min over batches of ReduceMin, max of ReduceMax. Exact. Infinities are values too, as
 * attention masks write them; NaN is an error.
 */
export const collectRange: Collector<'range'> = {
  values: ({ value }) => [value],
  probe({ value }, statistics) {
    const source = statistics.asFloat(value);
    const seen = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
    return {
      fetch: [
        statistics.reduce('ReduceMin', source),
        statistics.reduce('ReduceMax', source),
        statistics.magnitude(value),
      ],
      add(found) {
        const [min, max, magnitude] = found.map((each) => toFloats(each)[0]!) as [number, number, number]; // three scalars
        if (Number.isNaN(magnitude) || Number.isNaN(min) || Number.isNaN(max)) {
          throw notFinite(statistics.model, value, 'NaN');
        }
        seen.min = Math.min(seen.min, min);
        seen.max = Math.max(seen.max, max);
      },
      answer: () => ({ ...seen }),
    };
  },
  ofConstant: (_need, tensor) => rangeOf(tensor),
};

/** Smallest and largest element of a tensor; from infinity to minus infinity when it is empty. */
export function rangeOf(tensor: Tensor): Range {
  const values = toFloats(tensor);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
