/** Class scores seen as rows: the score of class `c` in row `r` is `values[start(r) + c * stride]`. */
export interface ClassRows {
  readonly values: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly classes: number;
  readonly stride: number;
  start(row: number): number;
}

/**
 * The number of classes that rank before the right one; a row is right where this is 0, and counts for top-5 below 5.
 * Of equal scores the first wins, as argmax does everywhere. A row with NaN has no rank: infinity. Scores `[1, 3]`
 * give 1 for label 0 and 0 for label 1.
 */
export function rankOf({ values, labels, classes, stride, start }: ClassRows, row: number): number {
  const from = start(row);
  const label = labels[row]!;
  const right = values[from + label * stride]!;
  let before = 0;
  for (let c = 0; c < classes; c++) {
    const score = values[from + c * stride]!;
    if (Number.isNaN(score)) return Number.POSITIVE_INFINITY;
    if (score > right || (score === right && c < label)) before++;
  }
  return before;
}

/**
 * The cross-entropy -ln softmax(scores)[label] of a row in nats, scores being logits. It is computed in float64 with
 * the largest score subtracted first. Scores `[0, 0]` give ln 2 = 0.6931 for either label.
 */
export function crossEntropyOf({ values, labels, classes, stride, start }: ClassRows, row: number): number {
  const from = start(row);
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) most = Math.max(most, values[from + c * stride]!);
  let exponentials = 0;
  for (let c = 0; c < classes; c++) exponentials += Math.exp(values[from + c * stride]! - most);
  return Math.log(exponentials) + most - values[from + labels[row]! * stride]!;
}
