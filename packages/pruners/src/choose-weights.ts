import { type Note, select, type Use, type ValueId } from '@espalier/core';
import type { Pattern } from './granularity.js';
import type { CheckedPruneOptions } from './prune-options.js';

/** The goal of a weight, or a sentence that says why it is left. */
export type Choice = string | { readonly goal: number | Pattern; readonly pooled: boolean };

/** The choice for each weight. */
export interface WeightChoice {
  of(value: ValueId, uses: readonly Use[], size: number): Choice;
  /** Warnings about patterns that have matched no weight so far: they are misspelt, more often than not. */
  unmatched(): readonly Note[];
}

/** The choice that the options come down to; patterns are tried on the weight's name and on its readers' ids. */
export function chooseWeights(options: CheckedPruneOptions): WeightChoice {
  const selection = select<number | Pattern>(options);
  const all = new Set<string>();
  return {
    of(value, uses, size) {
      const names = [value, ...uses.map(({ node }) => node.id)];
      for (const name of names) all.add(name);
      const left = selection.leftOut(names);
      if (left !== undefined) return left;
      if (size < options.minimumSize) return `It has ${size} elements, fewer than ${options.minimumSize}.`;
      const goal = selection.override(names);
      if (goal === 0) return 'An override leaves it.';
      return goal === undefined ? { goal: options.goal, pooled: options.scope === 'global' } : { goal, pooled: false };
    },
    unmatched: () => selection.unmatched([...all], 'a weight that can be pruned'),
  };
}
