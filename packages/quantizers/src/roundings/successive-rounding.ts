import { definePlugin, gridAt, type RoundingProblem } from '@espalier/core';
import { cholesky, dampedInverse, subMatrix } from '@espalier/ops';
import { nearestCode } from './nearest-rounding.js';

/** Options of successive rounding. */
export interface SuccessiveOptions {
  /** Share of the mean diagonal of XᵀX added to its diagonal: 0.01 unless given; raised where that cannot be inverted. */
  readonly damping?: number;
  /** Whether inputs with the most energy are rounded first; otherwise in the order they stand. */
  readonly actOrder?: boolean;
}

/**
 * Rounds one weight after the other; those still to come make up for the error. With (XᵀX + ρI)⁻¹ = UᵀU, U upper
 * triangular: q = nearest(wᵢ), e = (wᵢ - q) / Uᵢᵢ, w_j -= e·U_ij for j > i (Frantar et al. 2022, arXiv 2210.17323).
 * It is Babai's nearest-plane point of the lattice. size³ products once, size² for each row.
 * @throws LAYER_GRAM for a matrix that is no XᵀX.
 */
export function successiveRounding(
  problem: RoundingProblem,
  { damping = 0.01, actOrder = false }: SuccessiveOptions = {},
): Int32Array {
  const { weight, rows, size, gram } = problem;
  const order = actOrder ? byEnergy(gram, size) : undefined;
  const factor = upperFactor(order ? subMatrix(gram, size, order) : gram, size, damping);
  const codes = new Int32Array(rows * size);
  const left = new Float64Array(size);
  for (let row = 0; row < rows; row++) {
    const base = row * size;
    for (let i = 0; i < size; i++) left[i] = weight[base + (order ? order[i]! : i)]!;
    for (let i = 0; i < size; i++) {
      const column = order ? order[i]! : i;
      const grid = gridAt(problem, row, column);
      const code = nearestCode(left[i]!, grid);
      codes[base + column] = code;
      const at = i * size;
      const error = (left[i]! - code * grid.step) / factor[at + i]!;
      if (error !== 0) for (let j = i + 1; j < size; j++) left[j]! -= error * factor[at + j]!;
    }
  }
  return codes;
}

/** `successiveRounding` as a plugin. */
export const successive = definePlugin({
  kind: 'rounding',
  id: 'successive',
  about: 'Rounds one weight after the other; the later ones make up for the error (GPTQ).',
  options: {
    damping: { type: 'number', default: 0.01, min: 0, max: 1, about: 'share of the mean diagonal added to XᵀX' },
    actOrder: { type: 'boolean', default: false, about: 'whether inputs with the most energy come first' },
  },
  create: (options) => (problem) => successiveRounding(problem, options),
});

function byEnergy(gram: Float64Array, size: number): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  return order.sort((a, b) => gram[b * size + b]! - gram[a * size + a]! || a - b);
}

// Lower factor of the inverse, mirrored: with (G⁻¹) = LLᵀ, U = Lᵀ gives UᵀU = G⁻¹, and rows of U are read in order.
function upperFactor(gram: Float64Array, size: number, damping: number): Float64Array {
  let share = damping;
  for (;;) {
    const lower = new Float64Array(size * size);
    if (cholesky(dampedInverse(gram, size, share), size, lower)) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < i; j++) lower[j * size + i] = lower[i * size + j]!;
      }
      return lower;
    }
    share = share === 0 ? 1e-8 : share * 10; // inverted, but so badly that the inverse is not definite
  }
}
