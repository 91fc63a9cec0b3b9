/** The points `step`·i for the whole numbers i = lowest..highest; `step` may be negative, never 0. */
export interface RoundingGrid {
  readonly step: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Rows of weights to be put on grids such that what a layer computes moves as little as possible. */
export interface RoundingProblem {
  /** Row-major [rows, size]; finite. */
  readonly weight: Float64Array;
  readonly rows: number;
  readonly size: number;
  /** XᵀX of the inputs that each row is multiplied by, or a positive multiple of it; [size, size], symmetric. */
  readonly gram: Float64Array;
  /** Neighbouring weights of a row that share a grid. Default: `size`, the whole row. */
  readonly group?: number;
  /** One grid for each group of each row: [rows, ceil(size / group)]. */
  readonly grids: readonly RoundingGrid[];
}

/** Rounds weights: one whole number of its grid per weight, [rows, size]. Arguments are not changed. */
export interface Rounding {
  (problem: RoundingProblem): Int32Array;
  /** Whether it does not look at the inputs, so that `gram` may be empty and no data is needed. */
  readonly dataFree?: boolean;
}

/** The grid of a weight, by row and column. */
export const gridAt = ({ size, group = size, grids }: RoundingProblem, row: number, column: number): RoundingGrid =>
  grids[row * Math.ceil(size / group) + Math.floor(column / group)]!;
