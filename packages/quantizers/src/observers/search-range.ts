import type { Grid, Range } from '@espalier/core';

const steps = 64; // clip fractions tried per side: 1, 63/64, ..., 1/64

/**
 * The clipped range with the least cost. Symmetric grids try 64 fractions of the largest magnitude; asymmetric ones
 * move each end in turn, twice, with the other fixed. The whole range is tried first, so equal costs keep it.
 */
export function searchRange(seen: Range, grid: Grid, cost: (range: Range) => number): Range {
  const full = { min: Math.min(seen.min, 0), max: Math.max(seen.max, 0) };
  if (!(full.max > full.min) || !Number.isFinite(full.max - full.min)) return seen;
  if (grid.symmetric) {
    const size = Math.max(-full.min, full.max);
    const around = (fraction: number): Range => ({
      min: Math.max(full.min, -size * fraction),
      max: Math.min(full.max, size * fraction),
    });
    return around(bestFraction((fraction) => cost({ min: -size * fraction, max: size * fraction })));
  }
  let { min, max } = full;
  for (let round = 0; round < 2; round++) {
    if (full.max > 0) max = full.max * bestFraction((fraction) => cost({ min, max: full.max * fraction }));
    if (full.min < 0) min = full.min * bestFraction((fraction) => cost({ min: full.min * fraction, max }));
  }
  return { min, max };
}

function bestFraction(cost: (fraction: number) => number): number {
  let best = 1;
  let least = cost(1);
  for (let step = steps - 1; step > 0; step--) {
    const found = cost(step / steps);
    if (found < least) [best, least] = [step / steps, found];
  }
  return best;
}
