import type { Pruner } from '@espalier/core';
import type { Choice, Goal } from './choose-units.js';
import type { UnitScoring } from './score-units.js';

/** Options of `pruneStructured`. Patterns (`*`, `?`) match group ids, names of weights, and ids of nodes that read them. */
export interface StructuredOptions
  extends Omit<UnitScoring, 'pruner' | 'attention'>,
    Pick<Choice, 'scope' | 'normalize' | 'multiple' | 'minimum'> {
  /** Scores units or their weights; `magnitude()` and `lamp()`, for two, need no data. */
  readonly pruner: Pruner;
  /** Share of the units, parameters, bytes or MACs that goes: `{ ratio: 0.5 }`, `{ macs: 0.5 }`. */
  readonly goal: Goal;
  /** Which units go: any (the default), attention heads alone, or the same places of all heads of an attention. */
  readonly units?: 'all' | 'heads' | 'head-dimension';
  /** Only groups that match; all when left out. */
  readonly only?: readonly string[];
  /** Groups that are left. */
  readonly ignore?: readonly string[];
  /** Shares of their units that some groups lose apart from the goal, by pattern; the last that matches counts. */
  readonly overrides?: Readonly<Record<string, number>>;
  /**
   * Whether to cut groups whose removal changes the mean or variance of a normalisation (layer and group norms over the
   * channels); the network then needs training. Default: false.
   */
  readonly statistics?: boolean;
}
