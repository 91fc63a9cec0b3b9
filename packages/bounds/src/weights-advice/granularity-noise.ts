import { bestStep, condense, type GridEnds } from './best-step.js';
import type { ChannelRows } from './channel-rows.js';
import { type CodeStatistics, codeStatistics } from './code-statistics.js';
import { clippedNoise, countCodes, roundingNoise, type Stretch } from './rounding-noise.js';

/** Errors of a tensor under one granularity and bit width as shares of its energy Σw², and what its codes are like. */
export interface GranularityNoise {
  /** With the range of each scale from its largest magnitude. */
  readonly minmax: number;
  /** With the range of least squared error for each scale. */
  readonly mse: number;
  /** Of the codes under the range of least squared error. */
  readonly codes: CodeStatistics;
}

/** Stretches of a tensor that share a scale: runs of `group` elements within each row. */
export interface Stretches {
  readonly rows: ChannelRows;
  readonly group: number;
}

/** Whole stretches that are looked at: at most so many, evenly spaced; groups of 32 are all seen up to 2^20 elements. */
const mostStretches = 2 ** 15;
/** Of those, best ranges are searched in so many elements, but in 256 stretches at least and 4096 at most. */
const searched = 2 ** 18;
const fewestSearched = 256;
const mostSearched = 2 ** 12;
/** Codes are counted in so many elements of a stretch, in evenly spaced pieces. */
const counted = 2 ** 20;
/** Elements that every bit width passes over while they are in the cache. */
const piece = 2 ** 13;

/**
 * Relative squared errors for each grid, all granularities alike: what shares a scale is a stretch of neighbouring
 * elements. Every element counts up to 131,072 of them (262,144 where stretches are 64 or longer), and always where a
 * tensor has one scale. In larger ones best ranges are searched in evenly spaced stretches, and there the error is the
 * min-max error of all times the ratio of the two among those searched; beyond 32,768 stretches the min-max error is
 * that of as many. With ratios that differ by a half from stretch to stretch that errs by about 3 % (0.1 dB) with 256
 * stretches, 0.3 % with 32,768.
 */
export function granularityNoise(
  { rows: { values, channels, size }, group }: Stretches,
  grids: readonly (GridEnds & { readonly bits: number })[],
): ReadonlyMap<number, GranularityNoise> {
  const length = Math.max(1, Math.min(group, size));
  const count = channels * Math.ceil(size / length);
  const every = strideFor(count / mostStretches);
  const wanted = Math.max(fewestSearched, Math.min(mostSearched, searched / length));
  const searchEvery = every * strideFor(count / every / wanted);
  const sums = grids.map((grid) => ({ grid, seen: 0, wide: 0, best: 0, counts: new Uint32Array(2 ** grid.bits) }));
  let energy = 0;
  for (let row = 0, at = 0; row < channels; row++) {
    const end = (row + 1) * size;
    for (let from = row * size; from < end; from += length, at++) {
      if (at % every !== 0) continue;
      const stretch = { from, to: Math.min(end, from + length) };
      const facts = factsOf(values, stretch);
      energy += facts.energy;
      addNoise(values, stretch, { maxAbs: facts.maxAbs, search: at % searchEvery === 0, sums });
    }
  }
  return new Map(
    sums.map(({ grid, seen, wide, best, counts }) => {
      const minmax = energy > 0 ? seen / energy : 0;
      const mse = wide > 0 ? minmax * (best / wide) : minmax;
      return [grid.bits, { minmax, mse, codes: codeStatistics(counts, -grid.lowest) }];
    }),
  );
}

/** An odd whole number near a ratio: an even one would walk down the same columns of every row. */
const strideFor = (ratio: number): number => (ratio < 2 ? 1 : Math.floor(ratio) | 1);

/** The sums for one bit width. */
interface Sums {
  readonly grid: GridEnds & { readonly bits: number };
  /** Noise under min-max ranges. */
  seen: number;
  /** The same, of the searched stretches alone. */
  wide: number;
  /** Noise under the best ranges, of the searched stretches. */
  best: number;
  readonly counts: Uint32Array;
}

interface Adding {
  readonly maxAbs: number;
  readonly search: boolean;
  readonly sums: readonly Sums[];
}

function addNoise(values: Float32Array, stretch: Stretch, { maxAbs, search, sums }: Adding): void {
  const { from, to } = stretch;
  if (maxAbs === 0) {
    if (search) for (const { grid, counts } of sums) counts[-grid.lowest]! += to - from;
    return;
  }
  const wide = new Float64Array(sums.length);
  for (let at = from; at < to; at += piece) {
    const part = { from: at, to: Math.min(to, at + piece) };
    for (let i = 0; i < sums.length; i++) wide[i]! += roundingNoise(values, part, maxAbs / sums[i]!.grid.highest);
  }
  for (let i = 0; i < sums.length; i++) sums[i]!.seen += wide[i]!;
  if (search) addBest(values, stretch, { maxAbs, wide, sums });
}

type Searching = Omit<Adding, 'search'> & { readonly wide: Float64Array };

function addBest(values: Float32Array, { from, to }: Stretch, { maxAbs, wide, sums }: Searching): void {
  const condensed = condense(values, { from, to }, maxAbs);
  const points = sums.map(({ grid: { lowest, highest } }) => ({
    lowest,
    highest,
    step: bestStep(condensed, { lowest, highest }),
  }));
  const best = new Float64Array(sums.length);
  const countEvery = Math.max(1, Math.floor((to - from) / counted));
  for (let at = from, pieces = 0; at < to; at += piece, pieces++) {
    const part = { from: at, to: Math.min(to, at + piece) };
    for (let i = 0; i < sums.length; i++) {
      best[i]! += clippedNoise(values, part, points[i]!);
      if (pieces % countEvery === 0) countCodes(values, part, { ...points[i]!, counts: sums[i]!.counts });
    }
  }
  for (let i = 0; i < sums.length; i++) {
    sums[i]!.wide += wide[i]!;
    sums[i]!.best += Math.min(wide[i]!, best[i]!);
  }
}

function factsOf(values: Float32Array, { from, to }: Stretch): { readonly maxAbs: number; readonly energy: number } {
  let maxAbs = 0;
  let energy = 0;
  for (let i = from; i < to; i++) {
    const w = values[i]!;
    energy += w * w;
    maxAbs = Math.max(maxAbs, Math.abs(w));
  }
  return { maxAbs, energy };
}
