import type { Loss, Optimizer, ValueId, ValueInfo } from '@espalier/core';

/** Options of a training step. */
export interface TrainingOptions {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** The output that the loss reads; the first one when left out. */
  readonly output?: ValueId;
  /** Type of the target; what the loss says when left out. */
  readonly target?: ValueInfo;
  /** Which parameters are trained, by name; all when left out. */
  readonly trainable?: (name: string) => boolean;
  /** Which parameters decay, or the factor on the decay of each; weights, but no biases, norms and quantizer scales, when left out. */
  readonly decays?: (name: string) => boolean | number;
  /** The factor on the learning rate of quantizer scales. Default: 1. */
  readonly scaleRate?: number;
  /** The strength λ by which quantized weights are held near the middle of their bins. Default: 0. */
  readonly dampening?: number;
  /** Whether batch norms use the statistics of batches, or keep the running ones as they are. Default: `batch`. */
  readonly batchNorm?: 'batch' | 'running';
  /** Largest common norm of all gradients; no limit when left out. */
  readonly clipNorm?: number;
  /** Parameters that are multiplied by a mask after each update. */
  readonly masks?: readonly string[];
  /** The share by which running statistics move towards the batch's. Default: 0.1. */
  readonly bnMomentum?: number;
}
