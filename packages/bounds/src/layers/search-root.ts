/** A constraint sign·(y_index - low)(y_index - high) >= 0. */
export interface Root {
  readonly index: number;
  readonly sign: 1 | -1;
  readonly low: number;
  readonly high: number;
}
