import { type Tensor, tensor, toFloats } from '@espalier/core';
import { type Granularity, scaleLayout } from './granularity.js';
import { eachRun } from './weight-ranges.js';

/** Weights on two or three levels with one scale per group; the value of a code is code * scale. */
export interface FewLevels {
  /** int8 codes: -1, 1 (binary) or -1, 0, 1 (ternary). */
  readonly codes: Tensor<'int8'>;
  /** In the order of `scaleLayout`. */
  readonly scale: Float32Array;
}

/**
 * Ternary weights: threshold t = 0.75 mean|w|, code sign(w) where |w| > t else 0, and the scale of least squared error
 * for these codes, the mean of |w| over |w| > t. `[1, -1, 0.1, 0]` has t 0.39375, codes `[1, -1, 0, 0]`, scale 1.
 * Source: Li, Liu, Wang and Saffari 2016, "Ternary weight networks", arXiv 1605.04711, equations 4 and 6.
 */
export function ternaryWeights(source: Tensor, granularity: Granularity): FewLevels {
  const values = toFloats(source);
  const codes = new Int8Array(values.length);
  const layout = scaleLayout(source.shape, granularity);
  const { sum, count } = magnitudes(values, source, granularity);
  const large = new Float64Array(layout.count);
  const kept = new Float64Array(layout.count);
  eachRun(layout, (group, start, end, stride) => {
    const threshold = (0.75 * sum[group]!) / Math.max(1, count[group]!);
    let total = 0;
    let many = 0;
    for (let at = start; at < end; at += stride) {
      const value = values[at]!;
      if (!(Math.abs(value) > threshold)) continue;
      codes[at] = value > 0 ? 1 : -1;
      total += Math.abs(value);
      many++;
    }
    large[group]! += total;
    kept[group]! += many;
  });
  const scale = Float32Array.from(large, (total, group) => (kept[group]! > 0 ? total / kept[group]! : 1));
  return { codes: tensor('int8', source.shape, codes), scale };
}

/** Sum of |w| and number of elements per group. */
export function magnitudes(
  values: Float32Array,
  { shape }: Pick<Tensor, 'shape'>,
  granularity: Granularity,
): { readonly sum: Float64Array; readonly count: Float64Array } {
  const layout = scaleLayout(shape, granularity);
  const sum = new Float64Array(layout.count);
  const count = new Float64Array(layout.count);
  eachRun(layout, (group, start, end, stride) => {
    let total = 0;
    for (let at = start; at < end; at += stride) total += Math.abs(values[at]!);
    sum[group]! += total;
    count[group]! += Math.ceil((end - start) / stride);
  });
  return { sum, count };
}
