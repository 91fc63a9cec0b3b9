/** Rows of numbers per unit, and the samples that each row stands for. */
export interface SampledRows {
  /** Row-major [rows, units]. */
  readonly sums: Float64Array;
  readonly samples: Float64Array;
}

/** The mean over rows, weighted by their samples, of the squares of their numbers: one per unit. */
export function meanSquare(rows: SampledRows): Float64Array {
  return weightedMean(rows, (sum) => sum * sum);
}

/** The square of the mean over rows, weighted by their samples: one per unit. */
export function squaredMean(rows: SampledRows): Float64Array {
  const mean = weightedMean(rows, (sum) => sum);
  for (let unit = 0; unit < mean.length; unit++) mean[unit]! *= mean[unit]!;
  return mean;
}

function weightedMean({ sums, samples }: SampledRows, of: (sum: number) => number): Float64Array {
  const units = samples.length === 0 ? 0 : sums.length / samples.length;
  const mean = new Float64Array(units);
  let total = 0;
  for (let row = 0; row < samples.length; row++) {
    const weight = samples[row]!;
    total += weight;
    for (let unit = 0; unit < units; unit++) mean[unit]! += weight * of(sums[row * units + unit]!);
  }
  for (let unit = 0; unit < units; unit++) mean[unit]! /= total;
  return mean;
}
