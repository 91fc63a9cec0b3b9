import { problem } from './errors.js';
import type { Options } from './options.js';

/** Options under their current names, and the former names that were written. */
export interface CurrentNames {
  readonly written: Readonly<Record<string, unknown>>;
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
}

/** The current name of an option; undefined where the table has none of that name, former names included. */
export const currentName = (table: Options, name: string): string | undefined =>
  Object.hasOwn(table, name) ? name : Object.keys(table).find((current) => table[current]?.formerly === name);

/**
 * Puts options that stand under a former name under the current one. Names that the table does not have stay.
 * @throws OPTION_CONFLICT where an option stands under both names.
 */
export function currentNames(where: string, table: Options, written: Readonly<Record<string, unknown>>): CurrentNames {
  const renamed = Object.keys(written).flatMap((from) => {
    const to = currentName(table, from) ?? from;
    return to === from ? [] : [{ from, to }];
  });
  if (renamed.length === 0) return { written, renamed };
  for (const { from, to } of renamed) {
    if (!Object.hasOwn(written, to)) continue;
    throw problem('OPTION_CONFLICT', {
      where: `${where}.${from}`,
      expected: `one name for this option: ${to}, formerly ${from}`,
      found: 'both',
      fix: `Remove ${from}.`,
    });
  }
  const names = new Map(renamed.map(({ from, to }) => [from, to]));
  return {
    written: Object.fromEntries(Object.entries(written).map(([name, value]) => [names.get(name) ?? name, value])),
    renamed,
  };
}
