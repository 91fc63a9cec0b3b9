import type { Draft, Proto } from './schema.js';

/** Key and value pairs as a map; undefined when there are none. A key that comes twice keeps its last value. */
export const entriesOf = (entries: readonly Proto<'Entry'>[]): ReadonlyMap<string, string> | undefined =>
  entries.length === 0 ? undefined : new Map(entries.map(({ key, value }) => [key ?? '', value ?? '']));

/** A map as key and value pairs. */
export const entriesFrom = (map: ReadonlyMap<string, string> | undefined): readonly Draft<'Entry'>[] =>
  [...(map ?? [])].map(([key, value]) => ({ key, value }));
