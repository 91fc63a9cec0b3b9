import type { Target } from '@espalier/core';
import type { LeftOut } from '../node-choice.js';

/** The name of a way to learn; see `methods`. */
export type LearnedMethod = 'lsq' | 'lsq+' | 'pact' | 'ste';

/** Where the scales of a quantizer begin. */
export type ScaleStart = 'mse' | 'lsq' | 'minmax';

/** The treatment of batch norms while weights and scales are trained. */
export type NormTreatment = 'batch' | 'fold';

/** The resolved options of the learned quantizer. */
export interface LearnedSettings {
  readonly target: Target;
  readonly method: LearnedMethod;
  readonly weights: { readonly bits: number; readonly perChannel: boolean; readonly start: ScaleStart };
  readonly activations: { readonly bits: number; readonly start: ScaleStart };
  /** Bits of the weights and inputs of the first and the last layers. */
  readonly ends: number;
  /** Bits of what sums, products and pools read. */
  readonly joins: number;
  readonly batchNorm: NormTreatment;
  readonly leftOut: LeftOut;
}
