import type { Grid } from '@espalier/core';
import type { LeftOut } from '../node-choice.js';
import type { WeightClip } from '../weight-ranges.js';

/** The resolved options of the dynamic quantizer. */
export interface DynamicSettings {
  readonly weights: Grid;
  readonly perChannel: boolean;
  readonly clip: WeightClip;
  /** Convolutions: weights stored as integers, ConvInteger, or nothing. */
  readonly convs: 'stored' | 'integer' | 'float';
  readonly recurrent: boolean;
  readonly embeddings: boolean;
  readonly leftOut: LeftOut;
}
