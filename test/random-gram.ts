import type { Random } from '@espalier/core';

/**
 * XᵀX of 4·size samples in which neighbours go together: x_i = correlated·x_{i-1} + normal, negative ones cut off where
 * `rectified` (as behind a ReLU).
 */
export function randomGram(
  random: Random,
  { size, correlated, rectified = false }: { size: number; correlated: number; rectified?: boolean },
): Float64Array {
  const gram = new Float64Array(size * size);
  const x = new Float64Array(size);
  for (let sample = 0; sample < 4 * size; sample++) {
    let last = 0;
    for (let i = 0; i < size; i++) {
      last = correlated * last + random.normal();
      x[i] = rectified ? Math.max(0, last) : last;
    }
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) gram[i * size + j]! += x[i]! * x[j]!;
  }
  return gram;
}
