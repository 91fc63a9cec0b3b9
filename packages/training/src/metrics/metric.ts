import type { Tensor } from '@espalier/core';

/** A number that says how good outputs are; it adds up over samples, so that any batch size gives the same mean. */
export interface Metric {
  readonly name: string;
  /** Which direction is the good one. */
  readonly better: 'higher' | 'lower';
  /** The sum over the samples of a batch; the mean over all samples is what is reported. */
  sum(output: Tensor, target: Tensor): number;
}
