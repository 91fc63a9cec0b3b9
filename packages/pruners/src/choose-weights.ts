import { matchNames, type Note, type Use, type ValueId } from '@espalier/core';
import type { Pattern } from './granularity.js';
import type { CheckedPruneOptions } from './prune-options.js';

/** The target for a weight, or the reason why the weight is kept. */
export type Choice = string | { readonly goal: number | Pattern; readonly pooled: boolean };

/** The decision of the options about each weight. */
export interface WeightChoice {
  of(value: ValueId, uses: readonly Use[], size: number): Choice;
  /** Warnings about patterns that have matched no weight so far: they are misspelt, more often than not. */
  unused(): readonly Note[];
}

interface Listed {
  readonly list: 'only' | 'ignore' | 'overrides';
  readonly pattern: string;
  readonly goal?: number | Pattern;
}

/** The choice that the options come down to; patterns are tried on the weight's name and on its readers' ids. */
export function chooseWeights(options: CheckedPruneOptions): WeightChoice {
  const all: readonly Listed[] = [
    ...options.only.map((pattern) => ({ list: 'only' as const, pattern })),
    ...options.ignore.map((pattern) => ({ list: 'ignore' as const, pattern })),
    ...options.overrides.map(([pattern, goal]) => ({ list: 'overrides' as const, pattern, goal })),
  ];
  const listed = all.map((each) => ({ ...each, test: matchNames([each.pattern]) }));
  const hit = new Set<unknown>();
  return {
    of(value, uses, size) {
      const names = [value, ...uses.map(({ node }) => node.id)];
      const matching = listed.filter(({ test }) => names.some(test));
      for (const each of matching) hit.add(each);
      const goal = matching.findLast((each) => each.goal !== undefined)?.goal;
      if (matching.some(({ list }) => list === 'ignore')) return 'A pattern of `ignore` names it.';
      if (options.only.length > 0 && !matching.some(({ list }) => list === 'only'))
        return 'No pattern of `only` names it.';
      if (size < options.minimumSize) return `It has ${size} elements, fewer than ${options.minimumSize}.`;
      if (goal === 0) return 'An override leaves it.';
      return goal === undefined ? { goal: options.goal, pooled: options.scope === 'global' } : { goal, pooled: false };
    },
    unused: () =>
      listed
        .filter((each) => !hit.has(each))
        .map(({ list, pattern }) => ({
          outcome: 'warning',
          reason: `The pattern "${pattern}" of \`${list}\` names no weight that can be pruned.`,
        })),
  };
}
