import { definePlugin, problem as fault, type Rounding, type RoundingProblem } from '@espalier/core';
import { dampedInverse } from '@espalier/ops';
import { fittedGrids } from './fitted-grids.js';
import { nearestCode } from './nearest-rounding.js';

/** Options of `obqRounding`. */
export interface ObqOptions {
  /** Share of the mean diagonal of XᵀX added to its diagonal. Default: 0.01. */
  readonly damping?: number;
  /** Layers with more inputs are refused: a row of n inputs takes n³/3 products. Default: 1152. */
  readonly maximumInputs?: number;
}

/**
 * Optimal Brain Quantization (Frantar and Alistarh 2022, arXiv 2208.11580, section 5): in each row, the weight whose
 * rounding costs least is rounded next, and all others make up for it. With H = (XᵀX + ρI)⁻¹ over the weights left:
 *
 *     p = argmin (step·q_p - w_p)² / H_pp,   w -= H_:p (w_p - step·q_p) / H_pp,   H -= H_:p H_p: / H_pp.
 *
 * Weights that earlier steps pushed off the grid by more than half a step come first. Grids that may be chosen are
 * fitted before. @throws OPTION_INVALID for layers with too many inputs, LAYER_GRAM for a matrix that is no XᵀX.
 */
export function obqRounding(problem: RoundingProblem, { damping = 0.01, maximumInputs = 1152 }: ObqOptions = {}) {
  const { weight, rows, size, group = size, gram } = problem;
  if (size > maximumInputs) {
    throw fault('OPTION_INVALID', {
      where: 'rounding obq',
      expected: `layers with at most ${maximumInputs} inputs`,
      found: `${size}: each row would take ${((size ** 3 / 3) * 1e-9).toFixed(1)} billion products`,
      fix: 'Take gptq, raise maximumInputs, or leave the layer out with `ignore`.',
    });
  }
  const grids = fittedGrids(problem);
  const inverse = dampedInverse(gram, size, damping);
  const groups = Math.ceil(size / group);
  const codes = new Int32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const gridOf = (i: number) => grids[row * groups + Math.floor(i / group)]!;
    codes.set(roundRow(weight.slice(row * size, (row + 1) * size), inverse.slice(), gridOf), row * size);
  }
  return { codes, grids };
}

/** Rounds one row; both arrays are overwritten. */
function roundRow(left: Float64Array, inverse: Float64Array, gridOf: (i: number) => RoundingProblem['grids'][number]) {
  const size = left.length;
  const codes = new Int32Array(size);
  const open = new Set(left.keys());
  while (open.size > 0) {
    const p = cheapest(left, inverse, { open, gridOf });
    const { step } = gridOf(p);
    codes[p] = nearestCode(left[p]!, gridOf(p));
    open.delete(p);
    const pivot = inverse[p * size + p]!;
    const factor = (left[p]! - codes[p]! * step) / pivot;
    for (const i of open) {
      const share = inverse[i * size + p]!;
      left[i]! -= share * factor;
      const by = share / pivot;
      if (by !== 0) for (const j of open) inverse[i * size + j]! -= by * inverse[p * size + j]!;
    }
  }
  return codes;
}

function cheapest(
  left: Float64Array,
  inverse: Float64Array,
  {
    open,
    gridOf,
  }: { readonly open: ReadonlySet<number>; readonly gridOf: (i: number) => RoundingProblem['grids'][number] },
): number {
  let [best, least, worst] = [-1, Number.POSITIVE_INFINITY, 0];
  for (const i of open) {
    const grid = gridOf(i);
    const gap = Math.abs(left[i]! - nearestCode(left[i]!, grid) * grid.step) / Math.abs(grid.step);
    if (gap > 0.5 + 1e-9 && gap > worst) [best, worst] = [i, gap];
    if (worst > 0) continue;
    const cost = (gap * grid.step) ** 2 / inverse[i * left.length + i]!;
    if (cost < least || best < 0) [best, least] = [i, cost];
  }
  return best;
}

/** `obqRounding` as a plugin. */
export const obq = definePlugin({
  kind: 'rounding',
  id: 'obq',
  about: 'Rounds the weight that costs least next, the others make up for it; for small layers.',
  options: {
    damping: { type: 'number', default: 0.01, min: 0, max: 1, about: 'share of the mean diagonal added to XᵀX' },
    maximumInputs: { type: 'integer', default: 1152, min: 1, about: 'layers with more inputs are refused' },
  },
  create:
    (options): Rounding =>
    (problem) =>
      obqRounding(problem, options),
});
