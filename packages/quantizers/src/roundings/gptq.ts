import { definePlugin, type Rounded, type RoundingGrid, type RoundingProblem } from '@espalier/core';
import { addProducts } from './add-products.js';
import { dampedFactor } from './damped-factor.js';
import { fitGrid } from './fit-grid.js';
import { fittedGrids } from './fitted-grids.js';
import { nearestCode } from './nearest-rounding.js';

/** Options of `gptqRounding`. */
export interface GptqOptions {
  /** Share of the mean diagonal of XᵀX added to its diagonal, raised where that cannot be factored. Default: 0.01. */
  readonly damping?: number;
  /** Whether inputs with the most energy are rounded first, otherwise in the order they stand. Default: false. */
  readonly actOrder?: boolean;
  /**
   * Where grids may be chosen: `fitted` to the weights as they are when their group begins, or `static`, fitted before
   * any weight is rounded. With `actOrder` they are static. Default: `fitted`.
   */
  readonly groups?: 'fitted' | 'static';
}

/**
 * Rounds one weight after the other; those still to come make up for the error (GPTQ, Frantar et al. 2022, arXiv
 * 2210.17323). With XᵀX + ρI = LᵀL, L lower triangular, and errors d = step·q - w:
 *
 *     q_k = nearest(w_k - Σ_{j<k} L_kj d_j / L_kk),
 *
 * which are the codes of the paper's sweep over the inverse (Babai's nearest plane; Chen et al. 2025, arXiv 2507.18553)
 * without an inverse. A group whose grid may be chosen gets it from w_k at its first column, each error counted L_kk²
 * times. Sums over earlier blocks of columns are added for a whole block at once. size³/6 products, and size²/2 for
 * each row, in float64.
 *
 * For w = (0.4, 0.4), XᵀX = ((1, 0.9), (0.9, 1)) and whole numbers, without damping: the codes are (0, 1).
 * @throws LAYER_GRAM for a matrix that is no XᵀX.
 */
export function gptqRounding(
  problem: RoundingProblem,
  { damping = 0.01, actOrder = false, groups = 'fitted' }: GptqOptions = {},
): Rounded {
  const { gram, size } = problem;
  const order = actOrder ? byEnergy(gram, size) : Uint32Array.from({ length: size }, (_, i) => i);
  const factor = dampedFactor(gram, size, { damping, order });
  const early = problem.free !== undefined && (actOrder || groups === 'static');
  const grids = early ? fittedGrids(problem) : problem.grids;
  return sweep({ ...problem, grids }, { factor, order, late: problem.free !== undefined && !early });
}

interface Sweep {
  readonly factor: Float64Array;
  readonly order: Uint32Array;
  /** Whether grids are fitted when their group begins. */
  readonly late: boolean;
}

function sweep(problem: RoundingProblem, { factor, order, late }: Sweep): Rounded {
  const { weight, rows, size, group = size } = problem;
  const groups = Math.ceil(size / group);
  const grids = [...problem.grids];
  const codes = new Int32Array(rows * size);
  const errors = new Float64Array(rows * size); // in the order of the sweep
  const width = blockWidth(group, size);
  const sums = new Float64Array(rows * width);
  const row = { codes, errors, factor, order, size };
  for (let from = 0; from < size; from += width) {
    const to = Math.min(size, from + width);
    sums.fill(0);
    addProducts(errors, factor, { rows, size, from, to, terms: from, sums });
    for (let r = 0; r < rows; r++) {
      for (let start = from; start < to; start = late ? Math.min(to, start + group) : to) {
        const end = late ? Math.min(to, start + group) : to;
        if (late && start % group === 0) {
          const at = r * groups + start / group;
          grids[at] = lateGrid(problem, grids[at]!, { ...row, sums, width, from, r, start, end: start + group });
        }
        for (let k = start; k < end; k++) {
          const column = order[k]!;
          const grid = grids[r * groups + Math.floor(column / group)]!;
          const w = weight[r * size + column]!;
          const shift = (sums[r * width + k - from]! + sumWithin(row, { r, from, k })) / factor[k * size + k]!;
          const code = nearestCode(w - shift, grid);
          codes[r * size + column] = code;
          errors[r * size + k] = code * grid.step - w;
        }
      }
    }
  }
  return { codes, grids };
}

interface RowState {
  readonly errors: Float64Array;
  readonly factor: Float64Array;
  readonly size: number;
}

/** Σ L_kj d_j over the columns of the block before k. */
function sumWithin(
  { errors, factor, size }: RowState,
  { r, from, k }: { readonly r: number; readonly from: number; readonly k: number },
): number {
  const base = r * size;
  const line = k * size;
  let sum = 0;
  for (let j = from; j < k; j++) sum += factor[line + j]! * errors[base + j]!;
  return sum;
}

interface LateGroup extends RowState {
  readonly sums: Float64Array;
  readonly width: number;
  readonly from: number;
  readonly r: number;
  readonly start: number;
  readonly end: number;
}

/** The grid of a group, fitted to the weights as earlier columns have moved them: L_kk d_k = -Σ_{j<k} L_kj d_j. */
function lateGrid(
  { weight, free }: RoundingProblem,
  like: RoundingGrid,
  { errors, factor, size, sums, width, from, r, start, end }: LateGroup,
): RoundingGrid {
  const last = Math.min(end, size);
  const moved = new Float64Array(last - start);
  const importance = new Float64Array(last - start);
  // A group that is wider than a block begins the sweep, where nothing has moved yet.
  const still = start === 0;
  for (let k = start; k < last; k++) {
    const pivot = factor[k * size + k]!;
    const error = still
      ? 0
      : -(sums[r * width + k - from]! + sumWithin({ errors, factor, size }, { r, from, k })) / pivot;
    errors[r * size + k] = error;
    moved[k - start] = weight[r * size + k]! + error;
    importance[k - start] = pivot * pivot;
  }
  errors.fill(0, r * size + start, r * size + last);
  return fitGrid({ weight: moved, importance }, like, free!); // asked for by `late`
}

/** Some 128 columns, whole groups where they are smaller than the row. */
const blockWidth = (group: number, size: number): number =>
  group >= size ? 128 : group >= 128 ? group : Math.floor(128 / group) * group;

function byEnergy(gram: Float64Array, size: number): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  return order.sort((a, b) => gram[b * size + b]! - gram[a * size + a]! || a - b);
}

/** `gptqRounding` as a plugin. */
export const gptq = definePlugin({
  kind: 'rounding',
  id: 'gptq',
  about: 'Rounds one weight after the other; the later ones make up for the error.',
  options: {
    damping: { type: 'number', default: 0.01, min: 0, max: 1, about: 'share of the mean diagonal added to XᵀX' },
    actOrder: { type: 'boolean', default: false, about: 'whether inputs with the most energy come first' },
    groups: {
      type: 'choice',
      of: ['fitted', 'static'],
      default: 'fitted',
      when: { actOrder: [false] },
      about: 'grids of groups are fitted when their first weight is rounded, or all before the first',
    },
    inputs: {
      type: 'choice',
      of: ['float', 'quantized'],
      default: 'float',
      about: 'inputs of the float network, or layer after layer those that the layers already rounded give',
    },
  },
  create: ({ inputs, ...options }) =>
    Object.assign((problem: RoundingProblem) => gptqRounding(problem, options), { inputs }),
});
