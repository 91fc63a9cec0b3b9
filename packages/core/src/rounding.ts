/** The points `step`·i for the whole numbers i = lowest..highest; `step` may be negative, never 0. */
export interface RoundingGrid {
  readonly step: number;
  readonly lowest: number;
  readonly highest: number;
}

/** The part of its grids that a rounding may choose. */
export interface GridFreedom {
  /** Whether a grid may be shifted: `lowest` from -n to 0, with as many points n + 1 as it had. */
  readonly shift: boolean;
  /** Whether steps may be negative. */
  readonly negative: boolean;
}

/** Rows of weights to be put on grids such that what a layer computes moves as little as possible. */
export interface RoundingProblem {
  /** Row-major [rows, size]; finite. */
  readonly weight: Float64Array;
  readonly rows: number;
  readonly size: number;
  /** XᵀX of the inputs that each row is multiplied by, or a positive multiple of it; [size, size], symmetric. Empty where `needs` leaves it out. */
  readonly gram: Float64Array;
  /** Mean of |x| of each input, [size]; there where `needs` names it. */
  readonly magnitude?: Float64Array;
  /** Neighbouring weights of a row that share a grid. Default: `size`, the whole row. */
  readonly group?: number;
  /** One grid for each group of each row: [rows, ceil(size / group)]. */
  readonly grids: readonly RoundingGrid[];
  /** Whether the rounding may return grids of its own. Absent: the grids stay as they are. */
  readonly free?: GridFreedom;
}

/** Codes on grids that the rounding chose. Steps are float32 numbers. */
export interface Rounded {
  /** [rows, size]. */
  readonly codes: Int32Array;
  /** As in the problem. */
  readonly grids: readonly RoundingGrid[];
}

/** A statistic of the inputs of a layer: XᵀX, or the mean of |x| of each input. */
export type InputStatistic = 'gram' | 'magnitude';

/**
 * Rounds weights: one whole number of its grid per weight, [rows, size], with the grids where it chose them. Arguments
 * are not changed, and the same problem gives the same answer.
 */
export interface Rounding {
  (problem: RoundingProblem): Int32Array | Rounded;
  /** The statistics that it reads. Default: `['gram']`. With an empty list it needs no data. */
  readonly needs?: readonly InputStatistic[];
  /**
   * `quantized`: layer after layer, each rounded for the inputs that the layers already rounded give it, and towards the
   * output of the float network. Default: `float`, the inputs of the float network.
   */
  readonly inputs?: 'float' | 'quantized';
  /**
   * Factors [size] by which weights are multiplied before they are rounded, where what produces the inputs can be
   * divided by them. The problems are all the layers that read these inputs.
   */
  readonly scaleInputs?: (problems: readonly RoundingProblem[]) => Float64Array;
}

/** The grid of a weight, by row and column. */
export const gridAt = ({ size, group = size, grids }: RoundingProblem, row: number, column: number): RoundingGrid =>
  grids[row * Math.ceil(size / group) + Math.floor(column / group)]!;

/** The answer of a rounding with its grids: its own, or those of the problem. */
export function roundWeights(rounding: Rounding, problem: RoundingProblem): Rounded {
  const answer = rounding(problem);
  return answer instanceof Int32Array ? { codes: answer, grids: problem.grids } : answer;
}

/** The numbers that codes stand for, [rows, size]. */
export function roundedValues({ rows, size, group = size }: RoundingProblem, { codes, grids }: Rounded): Float64Array {
  const values = new Float64Array(rows * size);
  const groups = Math.ceil(size / group);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) {
      const at = row * size + i;
      values[at] = codes[at]! * grids[row * groups + Math.floor(i / group)]!.step;
    }
  }
  return values;
}
