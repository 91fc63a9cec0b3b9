import type { Regression } from '@espalier/core';
import { cholesky, solveCholeskyRows } from '@espalier/ops';

/** The starting point of `fitLayer`. */
export interface FitProblem {
  /** Sums over the layer's inputs X [rows, size] beside the outputs Y that are wanted. */
  readonly sums: Regression;
  /** Which outputs of Y the rows of the weight stand for. */
  readonly outputs: ArrayLike<number>;
  /** Row-major [outputs, size]: the weights as they are, which damping draws towards. */
  readonly weight: Float64Array;
  /** λ, as a share of the mean of the diagonal of the centred XᵀX. */
  readonly damping: number;
}

/** Fitted weights, what to add to each output, and how much of the wanted outputs' variance is left unexplained. */
export interface Fit {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  /** From 0 (exact) to 1 (no better than a constant). */
  readonly unexplained: number;
}

/**
 * The weights W and biases b that bring XWᵀ + b nearest to Y, drawn towards the weights W₀ that there are:
 *
 *     min |XWᵀ + 1bᵀ - Y|² + λ |W - W₀|²,   λ = damping · mean diag G,
 *     W = (C + λW₀)(G + λI)⁻¹,   b = ȳ - W x̄,
 *
 * with G = XᵀX - n x̄x̄ᵀ and C = YᵀX - n ȳx̄ᵀ (ridge regression with an intercept: Hoerl and Kennard 1970). Inputs that
 * never change keep their weights. λ grows tenfold until G + λI can be factored in float64. size³/6 +
 * outputs·size² products.
 *
 * One input of 1, 2, 3 and outputs 2, 4, 6 give W = 2, b = 0 without damping.
 */
export function fitLayer({ sums, outputs, weight, damping }: FitProblem): Fit {
  const { size, rows } = sums;
  const count = outputs.length;
  const n = Math.max(1, rows);
  const gram = centredGram(sums);
  let trace = 0;
  for (let i = 0; i < size; i++) trace += gram[i * size + i]!;
  const wanted = centredCross(sums, outputs);
  const { weight: fitted, lambda } = solve({ gram, wanted, weight, size, damping, mean: trace / size });
  const bias = Float64Array.from({ length: count }, (_, o) => {
    let sum = sums.outputs[outputs[o]!]!;
    for (let i = 0; i < size; i++) sum -= fitted[o * size + i]! * sums.inputs[i]!;
    return sum / n;
  });
  let [variance, left] = [0, 0];
  for (let o = 0; o < count; o++) {
    const output = outputs[o]!;
    const own = Math.max(0, sums.squares[output]! - sums.outputs[output]! ** 2 / n);
    variance += own;
    left += own;
  }
  // |Y - XWᵀ|² = |Y|² - 2 C·W + WGWᵀ, and WG = C + λ(W₀ - W).
  for (let i = 0; i < fitted.length; i++) left += fitted[i]! * (lambda * (weight[i]! - fitted[i]!) - wanted[i]!);
  return { weight: fitted, bias, unexplained: variance > 0 ? Math.min(1, Math.max(0, left / variance)) : 0 };
}

function centredGram({ sum, inputs, size, rows }: Regression): Float64Array {
  const gram = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const mean = inputs[i]! / Math.max(1, rows);
    for (let j = 0; j < size; j++) gram[i * size + j] = sum[i * size + j]! - mean * inputs[j]!;
  }
  return gram;
}

function centredCross({ cross, inputs, outputs, size, rows }: Regression, which: ArrayLike<number>): Float64Array {
  const out = new Float64Array(which.length * size);
  for (let o = 0; o < which.length; o++) {
    const mean = outputs[which[o]!]! / Math.max(1, rows);
    for (let i = 0; i < size; i++) out[o * size + i] = cross[which[o]! * size + i]! - mean * inputs[i]!;
  }
  return out;
}

interface Ridge {
  /** Overwritten. */
  readonly gram: Float64Array;
  readonly wanted: Float64Array;
  readonly weight: Float64Array;
  readonly size: number;
  readonly damping: number;
  readonly mean: number;
}

function solve({ gram, wanted, weight, size, damping, mean }: Ridge): {
  readonly weight: Float64Array;
  readonly lambda: number;
} {
  const factor = new Float64Array(size * size);
  let lambda = 0;
  for (let share = damping; mean > 0 && share <= 1e3; share = share === 0 ? 1e-8 : share * 10) {
    const added = share * mean - lambda;
    lambda += added;
    for (let i = 0; i < size; i++) gram[i * size + i]! += added;
    if (!cholesky(gram, size, factor)) continue;
    const solved = wanted.map((value, i) => value + lambda * weight[i]!);
    solveCholeskyRows(factor, size, solved);
    return { weight: solved, lambda };
  }
  return { weight: weight.slice(), lambda: 0 }; // inputs that never change
}
