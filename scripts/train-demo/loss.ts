import { type Batch, emptyLike } from './layer.js';
import type { Allocate } from './matrix.js';

/** What a batch of logits says about its labels. */
export interface Loss {
  /** Mean cross-entropy in nats. */
  readonly value: number;
  readonly right: number;
  /** dL/dlogits = (softmax - one-hot) / count. */
  readonly gradient: Batch;
}

/** Softmax cross-entropy: L = mean of log(sum exp(z)) - z[label]. */
export function crossEntropy(logits: Batch, labels: ArrayLike<number>, allocate: Allocate): Loss {
  const gradient = emptyLike(logits, allocate);
  const { channels: classes, count, data } = logits;
  let [value, right] = [0, 0];
  for (let s = 0; s < count; s++) {
    const row = data.subarray(s * classes, (s + 1) * classes);
    const label = labels[s]!;
    let top = row[0]!;
    for (const z of row) top = Math.max(top, z);
    let sum = 0;
    for (const z of row) sum += Math.exp(z - top);
    value += (Math.log(sum) + top - row[label]!) / count;
    if (row.indexOf(top) === label) right++;
    for (let c = 0; c < classes; c++) {
      gradient.data[s * classes + c] = (Math.exp(row[c]! - top) / sum - (c === label ? 1 : 0)) / count;
    }
  }
  return { value, right, gradient };
}
