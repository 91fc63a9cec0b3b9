import { definePlugin, type Rounding, type RoundingGrid } from '@espalier/core';

/** The whole number of a grid nearest to w/step: `nearestCode(0.7, { step: 0.5, lowest: -2, highest: 1 })` is 1. */
export function nearestCode(weight: number, { step, lowest, highest }: RoundingGrid): number {
  const code = Math.round(weight / step);
  return code < lowest ? lowest : code > highest ? highest : code;
}

/** Each weight by itself to its nearest grid point; the inputs are not looked at. */
export const nearestRounding: Rounding = ({ weight, rows, size, grids }) => {
  const codes = new Int32Array(rows * size);
  for (let row = 0; row < rows; row++) {
    const grid = grids[row]!;
    for (let at = row * size; at < (row + 1) * size; at++) codes[at] = nearestCode(weight[at]!, grid);
  }
  return codes;
};

/** `nearestRounding` as a plugin. */
export const nearest = definePlugin({
  kind: 'rounding',
  id: 'nearest',
  about: 'Rounds each weight to its nearest grid point.',
  options: {},
  create: () => nearestRounding,
});
