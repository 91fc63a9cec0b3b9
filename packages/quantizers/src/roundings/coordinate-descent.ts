import { definePlugin, gridAt, type Rounding, type RoundingProblem } from '@espalier/core';
import { withFittedGrids } from './fitted-grids.js';
import { gptqRounding } from './gptq.js';
import { nearestCodes } from './nearest-rounding.js';

/**
 * Moves single codes to their best value, the others fixed, until none moves: z_i = nearest(z_i - (G·d)_i / (step·G_ii))
 * with d = step·z - w. The result is never worse than the start, and no single change improves it.
 * Bounded by 1000 rounds over all codes; each move lowers the error, so it ends by itself long before.
 */
export function descendCodes(problem: RoundingProblem, start: Int32Array): Int32Array {
  const { weight, rows, size, gram } = problem;
  const codes = start.slice();
  const slope = new Float64Array(size); // G·d
  for (let row = 0; row < rows; row++) {
    const base = row * size;
    slope.fill(0);
    for (let j = 0; j < size; j++) {
      const gap = gridAt(problem, row, j).step * codes[base + j]! - weight[base + j]!;
      if (gap !== 0) for (let i = 0; i < size; i++) slope[i]! += gram[j * size + i]! * gap;
    }
    let moved = true;
    for (let round = 0; moved && round < 1000; round++) {
      moved = false;
      for (let i = 0; i < size; i++) {
        if (!(gram[i * size + i]! > 0)) continue;
        const { step, lowest, highest } = gridAt(problem, row, i);
        const own = gram[i * size + i]! * step;
        const code = codes[base + i]!;
        const wish = code - slope[i]! / own;
        // A move must be past the middle by more than float noise: ties would go back and forth.
        if (Math.abs(wish - code) <= 0.5 + 1e-9) continue;
        const next = Math.min(highest, Math.max(lowest, Math.round(wish)));
        if (next === code) continue;
        const by = (next - code) * step;
        codes[base + i] = next;
        for (let j = 0; j < size; j++) slope[j]! += gram[i * size + j]! * by;
        moved = true;
      }
    }
  }
  return codes;
}

const starts: Readonly<Record<string, (problem: RoundingProblem) => Int32Array>> = {
  nearest: nearestCodes,
  gptq: (problem) => gptqRounding(problem).codes,
};

/** Coordinate descent as a plugin. */
export const descent = definePlugin({
  kind: 'rounding',
  id: 'descent',
  about: 'Moves single codes while that lowers the output error.',
  options: {
    start: { type: 'choice', of: ['gptq', 'nearest'], default: 'gptq', about: 'what it starts from' },
  },
  create:
    ({ start }): Rounding =>
    (problem) => {
      const fixed = withFittedGrids(problem);
      return { codes: descendCodes(fixed, starts[start]!(fixed)), grids: fixed.grids }; // the choice lists the table's keys
    },
});
