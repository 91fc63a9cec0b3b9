import { definePlugin, gridAt, type Rounding, type RoundingGrid, type RoundingProblem } from '@espalier/core';

/** The whole number of a grid nearest to w/step: `nearestCode(0.7, { step: 0.5, lowest: -2, highest: 1 })` is 1. */
export function nearestCode(weight: number, { step, lowest, highest }: RoundingGrid): number {
  const code = Math.round(weight / step);
  return code < lowest ? lowest : code > highest ? highest : code;
}

/** Each weight by itself to its nearest grid point; the inputs are not looked at. */
export const nearestRounding: Rounding = /* @__PURE__ */ Object.assign(
  (problem: RoundingProblem) => nearestCodes(problem),
  { needs: [] },
);

/** The codes of `nearestRounding`. */
export function nearestCodes(problem: RoundingProblem): Int32Array {
  const { weight, rows, size } = problem;
  const codes = new Int32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) {
      const at = row * size + i;
      codes[at] = nearestCode(weight[at]!, gridAt(problem, row, i));
    }
  }
  return codes;
}

/** `nearestRounding` as a plugin. */
export const nearest = definePlugin({
  kind: 'rounding',
  id: 'nearest',
  about: 'Rounds each weight to its nearest grid point.',
  options: {},
  create: () => nearestRounding,
});
