import type { Grid, Target } from '@espalier/core';
import type { CodebookName } from '../codebook.js';
import type { LeftOut } from '../node-choice.js';
import type { WeightClip } from '../weight-ranges.js';

/** The resolved options of the weight-only quantizer. */
export interface WeightsSettings {
  readonly target: Target;
  readonly grid: Grid;
  readonly block: number;
  readonly clip: WeightClip;
  readonly form: 'matmulnbits' | 'qdq';
  readonly codebook: 'none' | CodebookName;
  readonly accuracyLevel: number;
  readonly convs: boolean;
  readonly embeddings: boolean;
  /** The form in which other tables are stored. */
  readonly tables: 'int8' | 'float';
  /** Matrices with fewer elements stay float. */
  readonly smallest: number;
  readonly leftOut: LeftOut;
}
