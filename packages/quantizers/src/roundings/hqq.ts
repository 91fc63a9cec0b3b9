import { definePlugin, type Rounded, type Rounding, type RoundingGrid, type RoundingProblem } from '@espalier/core';
import { nearestCode, nearestCodes } from './nearest-rounding.js';

/** Options of `hqqRounding`. */
export interface HqqOptions {
  /** The power p of the error that is made small, Σ |w - step·q|^p. Default: 0.7. */
  readonly power?: number;
  /** β in the first round, on errors counted in steps. Default: 10. */
  readonly penalty?: number;
  /** The factor on β after each round. Default: 1.01. */
  readonly growth?: number;
  /** Rounds at most; a group stops where its error no longer falls. Default: 20. */
  readonly iterations?: number;
}

/**
 * Half-quadratic quantization (Badri and Shaji 2023, mobiusml.github.io/hqq_blog): grids of small Σ |w - step·q|^p with
 * p < 1, which large weights do not pull away as they do a squared error. Each round takes out of the error the part
 * that counts as an outlier, and fits the grid to the rest by least squares:
 *
 *     e = shrink(w - step·q),   shrink(x) = sign(x) max(0, |x| - |x|^(p-1) / β)  (x in steps),
 *     step = Σ (w - e) q / Σ q²,   and, where grids may be shifted, lowest by the mean of q - (w - e) / step.
 *
 * The paper moves a zero point that is a float; here it is a whole number, as files store it, so the step moves too.
 * Looks at no data.
 */
export function hqqRounding(
  problem: RoundingProblem,
  { power = 0.7, penalty = 10, growth = 1.01, iterations = 20 }: HqqOptions = {},
): Rounded {
  const { weight, rows, size, group = size, free } = problem;
  if (!free) return { codes: nearestCodes(problem), grids: problem.grids };
  const groups = Math.ceil(size / group);
  const grids = problem.grids.map((grid, at) => {
    const from = Math.floor(at / groups) * size + (at % groups) * group;
    const to = Math.min(from + group, (Math.floor(at / groups) + 1) * size);
    return hqqGrid(weight.subarray(from, to), grid, { power, penalty, growth, iterations, shift: free.shift });
  });
  return { codes: nearestCodes({ ...problem, rows, grids }), grids };
}

type Settings = Required<HqqOptions> & { readonly shift: boolean };

function hqqGrid(weight: Float64Array, first: RoundingGrid, settings: Settings): RoundingGrid {
  const { power, growth, iterations } = settings;
  let beta = settings.penalty;
  let grid = first;
  let best = first;
  let least = errorOf(weight, first, power);
  for (let i = 0; i < iterations; i++) {
    const next = improved(weight, grid, { ...settings, penalty: beta });
    if (!next) break;
    const error = errorOf(weight, next, power);
    if (!(error < least)) break;
    [grid, best, least] = [next, next, error];
    beta *= growth;
  }
  return best;
}

function improved(
  weight: Float64Array,
  { step, lowest, highest }: RoundingGrid,
  { power, penalty, shift }: Settings,
): RoundingGrid | undefined {
  let [products, squares, offset] = [0, 0, 0];
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i]! / step;
    const code = nearestCode(w, { step: 1, lowest, highest });
    const gap = w - code;
    const size = Math.abs(gap);
    const outlier = size > 0 ? Math.sign(gap) * Math.max(0, size - size ** (power - 1) / penalty) : 0;
    products += (w - outlier) * code;
    squares += code * code;
    offset += code - (w - outlier);
  }
  if (!(squares > 0 && products > 0)) return undefined;
  const by = shift ? Math.round(offset / weight.length) : 0;
  const moved = Math.max(lowest - highest, Math.min(0, lowest + by)) - lowest;
  return { step: Math.fround((step * products) / squares), lowest: lowest + moved, highest: highest + moved };
}

function errorOf(weight: Float64Array, grid: RoundingGrid, power: number): number {
  let sum = 0;
  for (let i = 0; i < weight.length; i++)
    sum += Math.abs(weight[i]! - grid.step * nearestCode(weight[i]!, grid)) ** power;
  return sum;
}

/** `hqqRounding` as a plugin. */
export const hqq = definePlugin({
  kind: 'rounding',
  id: 'hqq',
  about: 'Grids that outliers do not pull away, by half-quadratic steps; needs no data.',
  options: {
    power: { type: 'number', default: 0.7, min: 0.1, max: 2, about: 'power of the error that is made small' },
    penalty: { type: 'number', default: 10, min: 0.01, max: 1e6, about: 'weight of the split in the first round' },
    growth: { type: 'number', default: 1.01, min: 1, max: 10, about: 'factor on the penalty after each round' },
    iterations: { type: 'integer', default: 20, min: 1, max: 1000, about: 'rounds at most' },
  },
  create: (options): Rounding =>
    Object.assign((problem: RoundingProblem) => hqqRounding(problem, options), { needs: [] }),
});
