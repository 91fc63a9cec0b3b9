import { badOption } from '@espalier/core';
import { type Distribution, secondMoment } from './distribution.js';
import {
  expectedQuantizationError,
  type GridForm,
  gridEnds,
  meanSquare,
  type QuantizationError,
} from './expected-quantization-error.js';

/** The step of smallest expected error, and that error. */
export interface OptimalStep extends QuantizationError {
  readonly step: number;
}

/**
 * The step δ that minimises the expected squared error of a b-bit grid. The error is not convex in δ (heavy tails have
 * several minima), so it is scanned on up to 2000 log-spaced steps first, and the lowest few valleys are then searched
 * by golden section to 1e-9 of the step. N(0,1): 1.048385 at 2 bits, 0.338608 at 4, 0.030766 at 8 (full grids).
 */
export function optimalStep(distribution: Distribution, bits: number, form: GridForm = 'full'): OptimalStep {
  if (!(Number.isInteger(bits) && bits >= 2 && bits <= 16)) {
    throw badOption('bits', { expected: 'a whole number from 2 to 16', found: bits });
  }
  const deviation = Math.sqrt(secondMoment(distribution));
  if (!Number.isFinite(deviation)) {
    throw badOption('distribution', {
      expected: 'a finite second moment (cut off the tails)',
      found: distribution.name,
    });
  }
  const ends = gridEnds(bits, form);
  const errorAt = (step: number) => meanSquare(distribution, { ...ends, step });
  const reach = Number.isFinite(distribution.limit) ? distribution.limit : 64 * deviation; // no grid need be wider
  const [least, most] = [deviation / 2 ** bits / 4, (1.25 * reach) / ends.highest];
  const count = Math.max(200, Math.min(2000, 2 ** 20 / 2 ** bits));
  const steps = Array.from({ length: count }, (_, i) => least * (most / least) ** (i / (count - 1)));
  const errors = steps.map(errorAt);
  const valleys = errors
    .map((error, i) => ({ error, i }))
    .filter(
      ({ error, i }) =>
        error <= (errors[i - 1] ?? Number.POSITIVE_INFINITY) && error <= (errors[i + 1] ?? Number.POSITIVE_INFINITY),
    )
    .sort((a, b) => a.error - b.error)
    .slice(0, 4)
    .map(({ i }) => goldenSection(errorAt, steps[Math.max(0, i - 1)]!, steps[Math.min(count - 1, i + 1)]!));
  const step = valleys.reduce((best, each) => (errorAt(each) < errorAt(best) ? each : best));
  return { step, ...expectedQuantizationError(distribution, { ...ends, step }) };
}

const golden = (Math.sqrt(5) - 1) / 2;

/** The place of a minimum of a function with one valley between two ends (Kiefer 1953). */
function goldenSection(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  let [c, d] = [b - golden * (b - a), a + golden * (b - a)];
  let [left, right] = [f(c), f(d)];
  while (b - a > 1e-9 * b) {
    if (left < right) {
      [b, d, right] = [d, c, left];
      c = b - golden * (b - a);
      left = f(c);
    } else {
      [a, c, left] = [c, d, right];
      d = a + golden * (b - a);
      right = f(d);
    }
  }
  return (a + b) / 2;
}
