import type { AxisRules } from '@espalier/core';

/** Options that decide how axes relate. */
export interface RelateOptions {
  /**
   * The factor to cut if a reshape splits an axis into heads and their dimension, which cannot both be cut: whole heads
   * (the default), or the same place of every head.
   */
  readonly attention?: 'head' | 'head-dimension';
  /** Axis rules of custom ops; `axisRulesOf(registry)` gives those of plugins. Without a rule an op is untouchable. */
  readonly rules?: AxisRules;
}
