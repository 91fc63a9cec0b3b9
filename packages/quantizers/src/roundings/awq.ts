import {
  definePlugin,
  gridAt,
  type Rounded,
  type Rounding,
  type RoundingGrid,
  type RoundingProblem,
} from '@espalier/core';
import { nearestCode, nearestCodes } from './nearest-rounding.js';

/** Powers of the input magnitudes that are tried: 0, 0.05, ..., 0.95. */
const powers = Array.from({ length: 20 }, (_, i) => i / 20);
/** Rows of each layer that judge a power. */
const judges = 64;
/** Shares of a group's range that are tried: 1, 0.95, ..., 0.55. */
const shares = Array.from({ length: 10 }, (_, i) => 1 - i / 20);

/**
 * Grids of groups by the error of the output (the clip search of AWQ, Lin et al. 2023, arXiv 2306.00978, section 3.2):
 * of ten steps down to 55 % of the one that covers the group, the one of least dᵀ G_gg d, with G_gg the XᵀX of the
 * inputs of the group. Weights go to the nearest point. Where grids are given, that is all it does.
 */
export function awqClip(problem: RoundingProblem): Rounded {
  const { weight, size, group = size, free, grids } = problem;
  if (!free) return { codes: nearestCodes(problem), grids };
  const groups = Math.ceil(size / group);
  const found = grids.map((like, at): RoundingGrid => {
    const from = (at % groups) * group;
    const to = Math.min(size, from + group);
    const base = Math.floor(at / groups) * size;
    const cover = coveringGrid(weight.subarray(base + from, base + to), like, free);
    let best = like;
    let least = Number.POSITIVE_INFINITY;
    for (const share of shares) {
      const step = Math.fround(cover.step * share);
      const grid = { ...cover, step };
      const error = groupError(problem, { base, from, to, grid });
      if (error < least) [best, least] = [grid, error];
    }
    return best;
  });
  return { codes: nearestCodes({ ...problem, grids: found }), grids: found };
}

function coveringGrid(
  weight: Float64Array,
  like: RoundingGrid,
  free: NonNullable<RoundingProblem['free']>,
): RoundingGrid {
  let [low, high] = [0, 0];
  for (const w of weight) [low, high] = [Math.min(low, w), Math.max(high, w)];
  if (low === high) return like;
  const points = like.highest - like.lowest;
  if (free.shift) {
    const step = Math.fround((high - low) / points);
    const lowest = Math.max(-points, Math.min(0, Math.round(low / step)));
    return { step, lowest, highest: lowest + points };
  }
  const extreme = -low > high ? low : high;
  const longer = -like.lowest >= like.highest ? like.lowest : like.highest;
  const step = free.negative ? extreme / longer : Math.max(low / (like.lowest || -1), high / (like.highest || 1));
  return { ...like, step: Math.fround(step) };
}

interface GroupGrid {
  readonly base: number;
  readonly from: number;
  readonly to: number;
  readonly grid: RoundingGrid;
}

/** dᵀ G_gg d of a group on a grid. */
function groupError({ weight, gram, size }: RoundingProblem, { base, from, to, grid }: GroupGrid): number {
  const errors = new Float64Array(to - from);
  for (let i = from; i < to; i++) {
    const w = weight[base + i]!;
    errors[i - from] = w - grid.step * nearestCode(w, grid);
  }
  let sum = 0;
  for (let i = from; i < to; i++) {
    const line = i * size + from;
    let inner = 0.5 * gram[i * size + i]! * errors[i - from]!;
    for (let j = 0; j < i - from; j++) inner += gram[line + j]! * errors[j]!;
    sum += 2 * inner * errors[i - from]!;
  }
  return sum;
}

/**
 * Factors of inputs by their size (AWQ, equations 4 and 5): s = a^r / √(max a^r · min a^r), a the mean of |x|, for the
 * power r of {0, 0.05, ..., 0.95} with the least Σ dᵀ G d, d = Q(w·s)/s - w over all layers that read these inputs.
 * At most 64 rows of each layer judge. Factors below 1e-4 count as 1e-4.
 */
export function awqFactors(problems: readonly RoundingProblem[]): Float64Array {
  const { size, magnitude } = problems[0]!; // there is a layer
  const ones = new Float64Array(size).fill(1);
  if (!magnitude) return ones;
  let best: Float64Array = ones;
  let least = Number.POSITIVE_INFINITY;
  for (const power of powers) {
    const factors = factorsOf(magnitude, power);
    let error = 0;
    for (const problem of problems) error += scaledError(problem, factors);
    if (error < least) [best, least] = [factors, error];
  }
  return best;
}

function factorsOf(magnitude: Float64Array, power: number): Float64Array {
  const factors = magnitude.map((each) => Math.max(each ** power, 1e-4));
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const each of factors) [low, high] = [Math.min(low, each), Math.max(high, each)];
  const middle = Math.sqrt(low * high);
  return factors.map((each) => Math.fround(each / middle));
}

function scaledError(problem: RoundingProblem, factors: Float64Array): number {
  const { rows, size, group = size, gram } = problem;
  const taken = Math.min(rows, judges);
  const groups = Math.ceil(size / group);
  const weight = new Float64Array(taken * size);
  const grids: RoundingGrid[] = [];
  for (let n = 0; n < taken; n++) {
    const row = Math.floor((n * rows) / taken);
    for (let i = 0; i < size; i++) weight[n * size + i] = problem.weight[row * size + i]! * factors[i]!;
    for (let g = 0; g < groups; g++) {
      const like = problem.grids[row * groups + g]!;
      const values = weight.subarray(n * size + g * group, Math.min((n + 1) * size, n * size + (g + 1) * group));
      grids.push(problem.free ? coveringGrid(values, like, problem.free) : like);
    }
  }
  const scaled = { ...problem, weight, rows: taken, grids };
  const errors = new Float64Array(size);
  let sum = 0;
  for (let n = 0; n < taken; n++) {
    for (let i = 0; i < size; i++) {
      const w = weight[n * size + i]!;
      const grid = gridAt(scaled, n, i);
      errors[i] = (w - grid.step * nearestCode(w, grid)) / factors[i]!;
    }
    for (let i = 0; i < size; i++) {
      const line = i * size;
      let inner = 0.5 * gram[line + i]! * errors[i]!;
      for (let j = 0; j < i; j++) inner += gram[line + j]! * errors[j]!;
      sum += 2 * inner * errors[i]!;
    }
  }
  return (sum * rows) / taken;
}

/** AWQ as a plugin. */
export const awq = definePlugin({
  kind: 'rounding',
  id: 'awq',
  about:
    'Large inputs count more: their weights are scaled up where the layer before takes that back; ranges by search.',
  options: {
    scaling: { type: 'boolean', default: true, about: 'whether inputs are scaled where something can take it back' },
    clipping: { type: 'boolean', default: true, about: 'whether ranges of groups are searched, or cover them' },
  },
  create: ({ scaling, clipping }): Rounding =>
    Object.assign((problem: RoundingProblem) => (clipping ? awqClip(problem) : nearestCodes(problem)), {
      needs: ['gram', 'magnitude'] as const,
      ...(scaling ? { scaleInputs: awqFactors } : {}),
    }),
});
