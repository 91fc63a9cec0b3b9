import { type Grid, type Range, roundHalfEven } from '@espalier/core';
import { affineOf } from './affine.js';
import { type Granularity, type ScaleLayout, scaleLayout } from './granularity.js';
import { levelsOf } from './grid.js';

/** The choice of a weight group's range: all of it, or the clipped part with the least squared error. */
export type WeightClip = 'minmax' | 'mse';

/** The options that determine the ranges of a weight. */
export interface WeightRangeChoice {
  readonly grid: Grid;
  readonly granularity: Granularity;
  readonly clip: WeightClip;
}

const fractions = 40; // clip fractions tried: 1, 0.985, ..., 0.415

/**
 * One range per group of a weight. `minmax` is the smallest and largest value; `mse` tries 40 fractions c of it and
 * keeps the one with the least sum (w - Q(w))^2, clipping included. Undefined where a weight is NaN or infinite.
 */
export function weightRanges(
  values: Float32Array,
  shape: readonly number[],
  { grid, granularity, clip }: WeightRangeChoice,
): readonly Range[] | undefined {
  const layout = scaleLayout(shape, granularity);
  const min = new Float64Array(layout.count);
  const max = new Float64Array(layout.count);
  let doubt = 0; // stays 0 unless a value is NaN or infinite
  eachRun(layout, (group, start, end, stride) => {
    let low = min[group]!;
    let high = max[group]!;
    for (let at = start; at < end; at += stride) {
      const value = values[at]!;
      doubt += value - value;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    min[group] = low;
    max[group] = high;
  });
  if (doubt !== 0) return undefined;
  const ranges = Array.from(min, (low, group): Range => ({ min: low, max: max[group]! }));
  return clip === 'minmax' ? ranges : clipped(values, layout, ranges, grid);
}

// Both ends are moved together, then, on asymmetric grids, each by itself from the best found so far.
function clipped(values: Float32Array, layout: ScaleLayout, full: readonly Range[], grid: Grid): readonly Range[] {
  const chosen = [...full];
  const best = squaredErrors(values, layout, { ranges: full, grid });
  const moves = grid.symmetric
    ? [{ min: 1, max: 1 }]
    : [
        { min: 1, max: 1 },
        { min: 0, max: 1 },
        { min: 1, max: 0 },
      ];
  for (const move of moves) {
    const start = [...chosen];
    for (let step = 1; step < fractions; step++) {
      const fraction = 1 - 0.015 * step;
      const ranges = start.map(({ min, max }) => ({
        min: move.min ? min * fraction : min,
        max: move.max ? max * fraction : max,
      }));
      const errors = squaredErrors(values, layout, { ranges, grid });
      for (let group = 0; group < layout.count; group++) {
        if (errors[group]! >= best[group]!) continue;
        best[group] = errors[group]!;
        chosen[group] = ranges[group]!;
      }
    }
  }
  return chosen;
}

// Every group's sum of (w - Q(w))^2 in one walk over the weights.
function squaredErrors(
  values: Float32Array,
  layout: ScaleLayout,
  { ranges, grid }: { readonly ranges: readonly Range[]; readonly grid: Grid },
): Float64Array {
  const { low, high } = levelsOf(grid);
  const errors = new Float64Array(layout.count);
  const affines = ranges.map((range) => affineOf(range, grid));
  eachRun(layout, (group, start, end, stride) => {
    const { scale, zeroPoint } = affines[group]!;
    const bottom = low - zeroPoint;
    const top = high - zeroPoint;
    let sum = 0;
    for (let at = start; at < end; at += stride) {
      const value = values[at]!;
      const gap = value - Math.max(bottom, Math.min(top, roundHalfEven(value / scale))) * scale;
      sum += gap * gap;
    }
    errors[group]! += sum;
  });
  return errors;
}

/** Calls `visit` for runs of elements that share a scale: element indices start, start + stride, ... below end. */
export function eachRun(
  { outer, length, inner, size, blocks }: ScaleLayout,
  visit: (group: number, start: number, end: number, stride: number) => void,
): void {
  if (size === 0 && inner === 1) {
    // Channels on the last axis: one strided run each, not one call per element.
    for (let k = 0; k < length; k++) visit(k, k, outer * length, length);
    return;
  }
  for (let o = 0; o < outer; o++) {
    const base = o * length * inner;
    if (size > 0) {
      for (let b = 0; b < blocks; b++) {
        const start = base + b * size * inner;
        const end = base + Math.min(length, (b + 1) * size) * inner;
        for (let i = 0; i < inner; i++) visit((o * blocks + b) * inner + i, start + i, end, inner);
      }
    } else {
      for (let k = 0; k < length; k++) visit(k, base + k * inner, base + (k + 1) * inner, 1);
    }
  }
}
