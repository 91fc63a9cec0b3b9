import {
  checkOptionNames,
  currentNames,
  findPlugin,
  type Kind,
  type Kinds,
  type Options,
  type Reference,
  type Registry,
  readReference,
  resolveOptions,
  resolveReference,
} from '@espalier/core';

/**
 * Splits the options of a step between its driver and the plugin it names, and makes both. A name in the driver's
 * table is the driver's; an option named `seed` that was not written takes the recipe's seed.
 */
export function referenceWithOptions<K extends Kind>(
  registry: Registry,
  step: {
    readonly kind: K;
    readonly driver: Options;
    readonly reference: Reference;
    readonly where: string;
    readonly seed: number;
  },
): {
  readonly plugin: Kinds[K];
  readonly options: Readonly<Record<string, unknown>>;
  /** The options of the driver that the recipe has, unresolved. */
  readonly written: Readonly<Record<string, unknown>>;
} {
  const { kind, driver, reference, where, seed } = step;
  const { use, given: asWritten } = readReference(reference, where);
  const table = findPlugin(registry, { kind, use, where }).options;
  const { written: given } = currentNames(`${where}.with`, { ...driver, ...table }, asWritten);
  checkOptionNames(`${where}.with`, { ...driver, ...table }, given);
  const entries = Object.entries(given);
  const own = Object.fromEntries(entries.filter(([key]) => !Object.hasOwn(driver, key)));
  if (table['seed']?.type === 'integer' && own['seed'] === undefined) own['seed'] = seed;
  const written = Object.fromEntries(entries.filter(([key]) => Object.hasOwn(driver, key)));
  const options = resolveOptions(`${where}.with`, driver, written);
  return { plugin: resolveReference(registry, { kind, reference: { use, with: own }, where }), options, written };
}
