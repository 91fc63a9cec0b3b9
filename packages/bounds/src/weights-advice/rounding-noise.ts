/** A stretch of elements that share a scale. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The points step · i, i from lowest to highest. */
export interface StepPoints {
  readonly step: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Adding and taking away 1.5 · 2^52 rounds a float64 to the nearest whole number, ties to even. */
const magic = 6755399441055744;

/*
 * Clamping without a branch: |x - l| - |x - h| + l + h is 2x between l and h, 2l below and 2h above. Branches on
 * random weights are guessed wrong so often that they cost several times as much. All is halved to save a factor.
 */

/**
 * Sum of (w - Q(w))² over a stretch, Q rounding to the nearest point of a grid and clipping at its ends. Two sums side
 * by side, since one addition would wait for the last. `[0.4, 1.6, -9]` on step 1, -2..1: 0.16 + 0.36 + 49.
 */
export function clippedNoise(values: Float32Array, { from, to }: Stretch, { step, lowest, highest }: StepPoints) {
  const half = 0.5 / step;
  const low = lowest / 2;
  const high = highest / 2;
  const middle = low + high;
  let a = 0;
  let b = 0;
  let i = from;
  for (; i + 1 < to; i += 2) {
    const x = values[i]! * half;
    const y = values[i + 1]! * half;
    const d = x + x - (Math.abs(x - low) - Math.abs(x - high) + middle + magic - magic);
    const e = y + y - (Math.abs(y - low) - Math.abs(y - high) + middle + magic - magic);
    a += d * d;
    b += e * e;
  }
  for (; i < to; i++) {
    const x = values[i]! * half;
    const d = x + x - (Math.abs(x - low) - Math.abs(x - high) + middle + magic - magic);
    a += d * d;
  }
  return (a + b) * step * step;
}

/** The same for a grid that reaches beyond every element, so that nothing is clipped. */
export function roundingNoise(values: Float32Array, { from, to }: Stretch, step: number): number {
  const inverse = 1 / step;
  let a = 0;
  let b = 0;
  let c = 0;
  let f = 0;
  let i = from;
  for (; i + 3 < to; i += 4) {
    const x = values[i]! * inverse;
    const y = values[i + 1]! * inverse;
    const z = values[i + 2]! * inverse;
    const v = values[i + 3]! * inverse;
    const d = x - (x + magic - magic);
    const e = y - (y + magic - magic);
    const g = z - (z + magic - magic);
    const h = v - (v + magic - magic);
    a += d * d;
    b += e * e;
    c += g * g;
    f += h * h;
  }
  for (; i < to; i++) {
    const x = values[i]! * inverse;
    const d = x - (x + magic - magic);
    a += d * d;
  }
  return (a + b + c + f) * step * step;
}

/** Adds to `counts` how often each code of the grid stands for an element; `counts[0]` is that of `lowest`. */
export function countCodes(
  values: Float32Array,
  { from, to }: Stretch,
  { step, lowest, highest, counts }: StepPoints & { readonly counts: Uint32Array },
): void {
  const half = 0.5 / step;
  const low = lowest / 2;
  const high = highest / 2;
  const middle = low + high;
  for (let i = from; i < to; i++) {
    const x = values[i]! * half;
    const code = Math.abs(x - low) - Math.abs(x - high) + middle + magic - magic;
    counts[(code - lowest) | 0]!++;
  }
}
