import type { PruneTarget } from '@espalier/core';
import type { Pattern } from './granularity.js';
import type { Reduction } from './weight-rules.js';

/** A weight that will be pruned: what the pruner is asked about, and what is wanted of it. */
export interface PruneLayer extends PruneTarget {
  /** The share of zeros wanted, or the pattern. */
  readonly goal: number | Pattern;
  /** Whether the goal is shared with all other layers that say so. */
  readonly pooled: boolean;
  readonly reduction: Reduction;
}
