import {
  currentName,
  findPlugin,
  type Kind,
  type Kinds,
  type Options,
  problem,
  type Registry,
  readReference,
  resolveReference,
} from '@espalier/core';
import type { OptionVariants } from '../step.js';

type Written = Readonly<Record<string, unknown>>;

/** A second plugin of a step: an option names it, and its options stand beside those of the first. */
export interface SecondPlugin<I extends Kind> {
  readonly kind: I;
  /** The option that names it. */
  readonly by: string;
  /** The option of the second plugin that takes the first one. */
  readonly takes: string;
  /** The id that a value of `by` names; undefined is left out. */
  idOf(value: string | undefined): string;
  /** Makes it with the options that are its own. */
  make(
    registry: Registry,
    step: { readonly plugin: unknown; readonly written: Written; readonly where: string },
  ): Kinds[I];
}

/** The second plugin of a step: `by` names it, and it takes the first plugin as its option `takes`. */
export const secondPlugin = <const I extends Kind>(facts: Omit<SecondPlugin<I>, 'make'>): SecondPlugin<I> => ({
  ...facts,
  make(registry, { plugin, written, where }) {
    const { kind, by, takes } = facts;
    const use = facts.idOf(written[by] as string | undefined); // a text, by the table of options
    const table = registry.find(kind, use).options;
    const own = Object.fromEntries(Object.entries(written).filter(([name]) => Object.hasOwn(table, name)));
    const made = table[takes] ? { [takes]: plugin } : {};
    return resolveReference(registry, { kind, reference: { use, with: own }, where, made });
  },
});

/** The tables of options of such a step: one for each second plugin, with the step's own options. */
export function variantsOf<I extends Kind>(
  { kind, by, takes, idOf }: SecondPlugin<I>,
  first: { readonly kind: Kind; readonly options: Options },
): OptionVariants {
  const tableOf = (registry: Registry, id: string): Options => {
    const { about, options } = registry.find(kind, id);
    const { [takes]: _, ...own } = options;
    return { [by]: { type: 'choice', of: [id], about: `\`${id}\`: ${about}` }, ...first.options, ...own };
  };
  /** Options that another second plugin has. @throws OPTION_CONFLICT that says which. */
  const refuseOthers = (registry: Registry, known: Options, { given, use, where }: Place) => {
    for (const name of Object.keys(given)) {
      if (name === takes || currentName(known, name) !== undefined) continue;
      const others = registry.ids(kind).filter((id) => currentName(tableOf(registry, id), name) !== undefined);
      if (others.length === 0) continue;
      throw problem('OPTION_CONFLICT', {
        where: `${where}.with.${name}`,
        expected: `${by}: ${others.join(' or ')} for this option`,
        found: `${by}: ${String(given[by] ?? use)}`,
        fix: `Remove it, or change ${by}.`,
      });
    }
  };
  return {
    by,
    tables: (registry) => new Map(registry.ids(kind).map((id) => [id, tableOf(registry, id)])),
    chosen(registry, { reference, where }) {
      const { use: plugin, given } = readReference(reference, where);
      const named = given[by];
      const use = idOf(named === undefined ? undefined : String(named));
      findPlugin(registry, { kind, use, where: `${where}.with.${by}` });
      const table = tableOf(registry, use);
      const known = { ...findPlugin(registry, { kind: first.kind, use: plugin, where }).options, ...table };
      refuseOthers(registry, known, { given, use, where });
      return table;
    },
  };
}

interface Place {
  readonly given: Written;
  readonly use: string;
  readonly where: string;
}
