/** The points `step`·i for the whole numbers i = lowest..highest. */
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
  /** One grid per row. */
  readonly grids: readonly RoundingGrid[];
}

/** Rounds weights: one whole number of its row's grid per weight, [rows, size]. Arguments are not changed. */
export type Rounding = (problem: RoundingProblem) => Int32Array;
