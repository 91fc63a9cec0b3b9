import type { Histogram, Range } from './evidence.js';

/** The integers that a tensor is mapped to. `narrow` leaves out the lowest one (-127..127), as weights do. */
export interface Grid {
  /** Width of an integer, 1 to 16. */
  readonly bits: number;
  readonly signed: boolean;
  /** Whether the zero point is fixed in the middle. */
  readonly symmetric: boolean;
  readonly narrow?: boolean;
}

/** Chooses the range of real numbers that a grid covers (a range estimator), from what calibration saw. */
export interface Observer {
  /** The number of histogram bins it reads; 0 if the smallest and largest value are enough. */
  readonly bins: number;
  /** The range to cover; `histogram` is given when `bins` is not 0. The driver makes it contain zero. */
  range(seen: { readonly range: Range; readonly histogram?: Histogram }, grid: Grid): Range;
}
