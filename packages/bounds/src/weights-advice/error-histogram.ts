import { decibels } from '../decibels.js';
import { type GridForm, gridEnds } from '../distributions/expected-quantization-error.js';
import { bestStep, condense } from './best-step.js';

/** Errors of single weights under both methods, counted over the same bins. */
export interface ErrorHistogram {
  readonly bits: number;
  readonly min: number;
  readonly max: number;
  readonly quantization: readonly number[];
  readonly pruning: readonly number[];
  /** Ratios of the weights that were counted. */
  readonly quantizationDb: number;
  readonly pruningDb: number;
}

/** A picture needs no more: of larger tensors, evenly spaced weights are counted. */
const enough = 2 ** 16;

/**
 * The errors w - Q(w) of rounding a tensor to b bits (best range) and of pruning it to the same size (all but b/16 of
 * it), as histograms over the span of both: a narrow box against a wide curve with a spike of untouched weights at 0
 * (Kuzmin et al. 2023, arXiv 2307.02973, figure 1). Null without a weight that is not zero.
 */
export function errorHistogram(
  values: Float32Array,
  { bits, bins = 61, form = 'full' }: { readonly bits: number; readonly bins?: number; readonly form?: GridForm },
): ErrorHistogram | null {
  const stride = values.length > enough ? Math.ceil(values.length / enough) | 1 : 1; // odd: not along a column
  const sample = stride === 1 ? values : values.filter((_, i) => i % stride === 0);
  const maxAbs = largest(sample);
  if (!(maxAbs > 0) || maxAbs === Number.POSITIVE_INFINITY) return null;
  const ends = gridEnds(bits, form);
  const step = bestStep(condense(sample, { from: 0, to: sample.length }, maxAbs), ends);
  const rounding = Float32Array.from(
    sample,
    (w) => w - step * Math.min(ends.highest, Math.max(ends.lowest, Math.round(w / step))),
  );
  const sizes = Float32Array.from(sample, Math.abs).sort();
  const threshold = sizes[sizes.length - Math.round((bits / 16) * sizes.length)] ?? Number.POSITIVE_INFINITY;
  const pruning = sample.map((w) => (Math.abs(w) < threshold ? w : 0));
  const max = Math.max(largest(rounding), largest(pruning));
  const energy = energyOf(sample);
  return {
    bits,
    min: -max,
    max,
    quantization: counts(rounding, { max, bins }),
    pruning: counts(pruning, { max, bins }),
    quantizationDb: decibels(energy, energyOf(rounding)),
    pruningDb: decibels(energy, energyOf(pruning)),
  };
}

function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

function energyOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function counts(errors: Float32Array, { max, bins }: { readonly max: number; readonly bins: number }) {
  const found = new Float64Array(bins);
  const factor = max > 0 ? bins / (2 * max) : 0;
  for (const error of errors) found[Math.min(bins - 1, Math.floor((error + max) * factor))]!++;
  return [...found];
}
