import { createErrorMeter, type ErrorStats } from './error-meter.js';

/** All figures of the difference between numbers and their reference, in one pass. @throws COMPARE_SIZE. */
export function errorStats(reference: ArrayLike<number>, other: ArrayLike<number>): ErrorStats {
  const meter = createErrorMeter();
  meter.add(reference, other);
  return meter.read();
}

/**
 * Signal-to-noise ratio in decibels, 10·log₁₀(Σr² / Σ(r-o)²), summed in float64 and kept within ±300 (see
 * `ErrorStats`): `snrDb([3, 4], [3, 3.5])` is 20, since 25 / 0.25 = 100. @throws COMPARE_SIZE.
 */
export const snrDb = (reference: ArrayLike<number>, other: ArrayLike<number>): number =>
  errorStats(reference, other).snrDb;

/** Largest absolute difference; Number.MAX_VALUE where one of the two is not finite. @throws COMPARE_SIZE. */
export const maxAbs = (reference: ArrayLike<number>, other: ArrayLike<number>): number =>
  errorStats(reference, other).maxAbs;

/** Cosine of the angle between two lists of numbers; 1 when both are zero. @throws COMPARE_SIZE. */
export const cosine = (reference: ArrayLike<number>, other: ArrayLike<number>): number =>
  errorStats(reference, other).cosine;
