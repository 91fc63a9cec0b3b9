import { instantiate, type Registry } from '@espalier/core';
import { twoAxisRules } from '../errors.js';
import type { AxisRule, AxisRules } from './axis-rule.js';

declare module '@espalier/core' {
  interface Kinds {
    /** How the axes of a custom op relate; the plugin's id is the name of the op (`acme::Scale`). */
    axes: AxisRule;
  }
}

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
