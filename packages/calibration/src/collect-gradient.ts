import { type Collector, sizeOf, toFloats } from '@espalier/core';
import { notFinite } from './errors.js';
import { onlyConstants } from './only-constants.js';

/**
 * Of a constant W, by element: E[∂L/∂W] (power 1) or E[(∂L/∂W)²] (power 2), where L is the mean loss of a batch and the
 * mean is over batches, weighted by their samples. The first does not depend on how the data is cut into batches; the
 * second is the diagonal of the empirical Fisher information where each batch is one sample.
 */
export const collectGradient: Collector<'gradient'> = {
  values: onlyConstants,
  opset: 18,
  gradients: ({ value }) => [value],
  probe({ value, power }, statistics) {
    const sums = new Float64Array(sizeOf(statistics.model.constants.get(value)!.shape)); // as `values` saw to
    let seen = 0;
    return {
      fetch: [statistics.gradient(value).gradient],
      add([found], samples) {
        const gradient = toFloats(found!);
        let check = 0;
        if (power === 1) for (let i = 0; i < sums.length; i++) check += sums[i]! += samples * gradient[i]!;
        else for (let i = 0; i < sums.length; i++) check += sums[i]! += samples * gradient[i]! * gradient[i]!;
        if (!Number.isFinite(check)) throw notFinite(statistics.model, value, 'a gradient of NaN or infinity');
        seen += samples;
      },
      answer() {
        for (let i = 0; i < sums.length; i++) sums[i]! /= seen;
        return sums;
      },
    };
  },
};
