import { matchNames } from './match-names.js';
import { didYouMean } from './nearest.js';
import type { Note } from './outcome.js';

/** What a user picks by patterns of names (`*` and `?`). */
export interface Patterns<V = never> {
  /** Nothing but these; all where it is empty. */
  readonly only?: readonly string[];
  /** Not these, whatever else names them. */
  readonly ignore?: readonly string[];
  /** Other values for some; the last that matches counts. */
  readonly overrides?: readonly (readonly [pattern: string, value: V])[];
}

/** The choice that patterns come down to. A thing may have several names: a weight, and the nodes that read it. */
export interface Selection<V = never> {
  /** Why a thing is left, as a sentence; undefined where it takes part. */
  leftOut(names: readonly string[]): string | undefined;
  /** The value of the last override that names the thing. */
  override(names: readonly string[]): V | undefined;
  /** A warning for each pattern that matches none of `names`; `noun` says what they are names of: `a group`. */
  unmatched(names: readonly string[], noun: string): readonly Note[];
}

/**
 * The decision of patterns about named things; it is the same everywhere.
 *
 *     const chosen = select({ ignore: ['conv1'], overrides: [['fc*', 0.9]] });
 *     chosen.leftOut(['conv1']); // A pattern of `ignore` names it.
 *     chosen.override(['fc2']); // 0.9
 */
export function select<V = never>({ only = [], ignore = [], overrides = [] }: Patterns<V>): Selection<V> {
  const wanted = matchNames(only);
  const unwanted = matchNames(ignore);
  const values = overrides.map(([pattern, value]) => ({ matches: matchNames([pattern]), value }));
  const lists = { only, ignore, overrides: overrides.map(([pattern]) => pattern) };
  return {
    leftOut(names) {
      if (names.some(unwanted)) return 'A pattern of `ignore` names it.';
      return only.length > 0 && !names.some(wanted) ? 'No pattern of `only` names it.' : undefined;
    },
    override: (names) => values.findLast(({ matches }) => names.some(matches))?.value,
    unmatched: (names, noun) =>
      Object.entries(lists).flatMap(([list, patterns]) =>
        unmatchedPatterns(patterns, names).map((pattern) => ({
          outcome: 'warning' as const,
          reason: `The pattern "${pattern}" of \`${list}\` does not name ${noun}. ${didYouMean(pattern, names)}`.trim(),
        })),
      ),
  };
}

/** The patterns that match no name: they are misspelt, more often than not. */
export const unmatchedPatterns = (patterns: readonly string[], names: readonly string[]): readonly string[] =>
  patterns.filter((pattern) => !names.some(matchNames([pattern])));
