import { type Tensor, tensor, toFloats } from '@espalier/core';
import type { Granularity } from './granularity.js';
import { type FewLevels, magnitudes } from './ternary-weights.js';

/**
 * Binary weights: code sign(w) with sign(0) = 1, scale mean|w| per group, which has the least squared error for these
 * codes. `[0.5, -1.5]` has codes `[1, -1]` and scale 1.
 * Source: Rastegari et al. 2016, "XNOR-Net", arXiv 1603.05279, equation 6.
 */
export function binaryWeights(source: Tensor, granularity: Granularity): FewLevels {
  const values = toFloats(source);
  const codes = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) codes[i] = values[i]! >= 0 ? 1 : -1;
  const { sum, count } = magnitudes(values, source, granularity);
  return {
    codes: tensor('int8', source.shape, codes),
    scale: Float32Array.from(sum, (total, group) => total / Math.max(1, count[group]!)),
  };
}
