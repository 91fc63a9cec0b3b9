import { type AnyCollector, type Collectors, instantiate, type Registry } from '@espalier/core';
import { builtInCollectors } from './collectors.js';
import { takenStatistic } from './errors.js';

/**
 * The collectors of the `statistic` plugins of a registry, by the name of their statistic: what `calibrate` takes as
 * `collectors`. @throws PLUGIN_DUPLICATE where a statistic has that name already; OPTION_MISSING for a plugin that
 * needs options.
 */
export function collectorsOf(registry: Registry): Collectors {
  const collectors = new Map<string, AnyCollector>();
  for (const plugin of registry.list('statistic')) {
    if (collectors.has(plugin.id) || Object.hasOwn(builtInCollectors, plugin.id)) throw takenStatistic(plugin.id);
    collectors.set(plugin.id, instantiate(plugin, {}));
  }
  return Object.fromEntries(collectors) as Collectors; // a plugin's id is the name of its statistic
}
