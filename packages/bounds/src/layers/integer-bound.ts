import type { RoundingGrid } from '@espalier/core';
import { independentPart } from './independent-part.js';
import { checkGrid, checkRow, type IntegerProblem } from './integer-problem.js';
import { maximizeBarrier } from './maximize-barrier.js';
import type { Root } from './search-root.js';

/** Options for sharpening a bound. */
export interface IntegerBoundOptions {
  /** Whether the ends of the grid count, which helps at 2 and 3 bits; without, all whole numbers are allowed. */
  readonly box?: boolean;
  /** Relative distance from the best bound of this form at which to stop. Default: 1e-6. */
  readonly precision?: number;
}

/** A lower bound of the squared error, with what proves it. */
export interface IntegerBound {
  /** No whole z of the grid has a smaller E(z); at least 0. */
  readonly bound: number;
  /** Newton steps taken. */
  readonly steps: number;
}

/**
 * The semidefinite dual lower bound of integer least squares (Park & Boyd 2018, arXiv 1504.07672). With z = ⌊w/step⌋ + y
 * every whole y has y_i(y_i - 1) >= 0 (see `cellsAt`) and, on the grid, (y_i - lo)(hi - y_i) >= 0; for multipliers λ, μ >= 0 with
 * A - diag(λ) + diag(μ) positive definite, the minimum over real y of E minus the multiplied constraints is a bound by
 * weak duality. The best multipliers come from a log-barrier Newton method; whichever it ends with are a certificate,
 * from which 1e-12·n of the magnitudes summed is taken off for rounding. One step costs about n³ products (2n
 * multipliers with all box constraints: 3n³); n = 36 takes milliseconds. Rank-deficient inputs: see `independentPart`.
 * @throws LAYER_NUMBERS, LAYER_GRAM.
 */
export function integerBound(
  problem: IntegerProblem,
  { box = true, precision = 1e-6 }: IntegerBoundOptions = {},
): IntegerBound {
  const { gram, weight, grid } = problem;
  checkRow(gram, weight);
  checkGrid(grid);
  const { kept, matrix } = independentPart(gram, weight.length);
  const size = kept.length;
  if (size === 0) return { bound: 0, steps: 0 };
  let trace = 0;
  for (let i = 0; i < size; i++) trace += matrix[i * size + i]!;
  const scale = trace / size;
  const target = new Float64Array(size); // the minimum over the reals, in the cell [0, 1)
  const roots: Root[] = [];
  const boxes: Root[] = [];
  for (let i = 0; i < size; i++) {
    const center = weight[kept[i]!]! / grid.step;
    const floor = Math.floor(center);
    target[i] = center - floor;
    for (const low of cellsAt(center, box ? grid : undefined)) {
      roots.push({ index: i, sign: 1, low: low - floor, high: low - floor + 1 });
    }
    // Further inside, an end of the grid never binds.
    if (box && (center < grid.lowest + 1.5 || center > grid.highest - 1.5)) {
      boxes.push({ index: i, sign: -1, low: grid.lowest - floor, high: grid.highest - floor });
    }
  }
  const { value, steps } = maximizeBarrier(
    { matrix: matrix.map((each) => each / scale), target, roots: [...roots, ...boxes] },
    precision,
  );
  return { bound: Math.max(0, value) * scale * grid.step ** 2, steps };
}

/**
 * Lower ends of the cells [low, low + 1] whose inside is cut off: the one that holds the center, its neighbour where the
 * center is nearly whole (a weight that is the largest of its row sits on a grid point but for float noise, and either
 * cell alone would be a matter of chance), and the last one of the grid where the center is beyond.
 */
function cellsAt(center: number, grid: RoundingGrid | undefined): readonly number[] {
  const floor = Math.floor(center);
  const cells = [floor];
  if (center - floor < nearlyWhole) cells.push(floor - 1);
  if (floor + 1 - center < nearlyWhole) cells.push(floor + 1);
  if (!grid || grid.lowest === grid.highest) return cells;
  const end = Math.min(grid.highest - 1, Math.max(grid.lowest, floor));
  return cells.includes(end) ? cells : [...cells, end];
}

const nearlyWhole = 0.1;
