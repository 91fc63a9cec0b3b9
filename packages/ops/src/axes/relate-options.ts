import type { AxisRules } from '@espalier/core';

/** Options that decide how axes relate. */
export interface RelateOptions {
  /**
   * The factor to cut if a reshape splits an axis into heads and their dimension, which cannot both be cut: whole heads
   * (the default), or the same place of every head.
   */
  readonly attention?: 'heads' | 'head-dimension';
  /** Axis rules of custom ops; `axisRulesOf(registry)` returns those of plugins. An op without a rule cannot be cut. */
  readonly rules?: AxisRules;
}
