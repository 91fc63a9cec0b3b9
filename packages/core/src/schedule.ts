/** The range a schedule covers. Used for any option the schedule leaves unset. */
export interface Span {
  /** Steps from the beginning to the end. */
  readonly steps: number;
  /** Steps in one pass over the data. */
  readonly epoch?: number;
  /** Where the driver wants it to begin and to end: a learning rate and 0, or 0 and a sparsity. */
  readonly from?: number;
  readonly to?: number;
}

/** A number that depends on the training step alone, and on the span if one is passed. */
export type Schedule = (step: number, span?: Span) => number;
