import type { Measured } from './metrics/metric.js';

/** The results of one epoch. */
export interface EpochRecord {
  /** Counts from 1. */
  readonly epoch: number;
  /** Steps done by its end. */
  readonly step: number;
  /** Mean training loss of its steps. */
  readonly loss: number;
  /** At its last step. */
  readonly learningRate: number;
  /** Share of the masked weights that is zero at its end; absent where nothing is masked. */
  readonly sparsity?: number;
  /** Where this epoch was evaluated. */
  readonly metrics?: Measured;
}
