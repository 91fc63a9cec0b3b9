import { type AxisRule, type AxisRules, instantiate, type Registry } from '@espalier/core';
import { twoAxisRules } from '../errors.js';

const known = new WeakMap<Registry, AxisRules>();

/**
 * The rules of all plugins of kind `axes` in a registry, by the name of their op: what `groupsOf`, `cut`,
 * `maskGroups` and `pruneStructured` take as `rules`. The rule of a plugin replaces the built-in one.
 * @throws PLUGIN_DUPLICATE when two plugins speak of one op; OPTION_MISSING for a plugin that needs options.
 */
export function axisRulesOf(registry: Registry): AxisRules {
  const found = known.get(registry);
  if (found) return found;
  const rules = new Map<string, AxisRule>();
  for (const plugin of registry.list('axes')) {
    if (rules.has(plugin.id)) throw twoAxisRules(plugin.id);
    rules.set(plugin.id, instantiate(plugin, {}));
  }
  known.set(registry, rules);
  return rules;
}
