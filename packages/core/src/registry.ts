import { checkPluginFacts } from './check-plugin.js';
import { describeOption } from './describe-option.js';
import { EspalierError, problem } from './errors.js';
import { isRecord } from './is-record.js';
import type { Kind, Kinds } from './kinds.js';
import { didYouMean } from './nearest.js';
import type { Options } from './options.js';
import { type AnyPlugin, instantiate } from './plugin.js';
import { optionApplies, resolveOptions } from './resolve-options.js';
import { shown } from './shown.js';

/** An immutable set of plugins, by kind and id. */
export interface Registry {
  /** @throws PLUGIN_UNKNOWN, listing what exists and the nearest spelling. */
  find<K extends Kind>(kind: K, id: string): AnyPlugin<K>;
  list<K extends Kind>(kind?: K): readonly AnyPlugin<K>[];
  /** Names under which a plugin is found: its id, with its namespace (`acme/ternary`) for third parties. */
  ids(kind: Kind): readonly string[];
  /** A registry that holds these too, under `namespace/id`. */
  with(namespace: string, plugins: readonly AnyPlugin[]): Registry;
}

/** A registry of plugins under their own ids. @throws PLUGIN_DUPLICATE, PLUGIN_INVALID. */
/* @__NO_SIDE_EFFECTS__ */
export function createRegistry(plugins: readonly AnyPlugin[]): Registry {
  return extend(new Map(), '', plugins);
}

function extend(taken: ReadonlyMap<string, AnyPlugin>, prefix: string, plugins: readonly AnyPlugin[]): Registry {
  const known = new Map(taken);
  for (const plugin of plugins) {
    checkPluginFacts(typeof plugin === 'function' ? { ...plugin } : {}); // plain JavaScript may hold anything
    const key = `${plugin.kind}:${prefix}${plugin.id}`;
    if (known.has(key)) {
      throw problem('PLUGIN_DUPLICATE', {
        where: 'registry',
        expected: 'one plugin for each kind and id',
        found: `two for ${key}`,
        fix: 'Rename one, or give one a namespace: `registry.with`, `plugins:` of a recipe, --plugin NAMESPACE=PACKAGE.',
      });
    }
    known.set(key, plugin);
  }
  const ids = (kind: Kind) =>
    [...known.keys()].filter((key) => key.startsWith(`${kind}:`)).map((key) => key.slice(kind.length + 1));
  return {
    ids,
    find<K extends Kind>(kind: K, id: string) {
      const plugin = known.get(`${kind}:${id}`);
      if (plugin) return plugin as AnyPlugin<K>; // keys begin with the plugin's kind
      const names = ids(kind);
      throw problem('PLUGIN_UNKNOWN', {
        where: `${kind} "${id}"`,
        expected: names.length ? `one of ${names.join(', ')}` : `a registered ${kind} plugin (there is none)`,
        found: `"${id}"`,
        fix: `${didYouMean(id, names)}Third-party plugins are found under their namespace.`,
        details: { kind, id },
      });
    },
    list: <K extends Kind>(kind?: K) =>
      [...known.values()].filter((plugin) => !kind || plugin.kind === kind) as unknown as readonly AnyPlugin<K>[], // filtered by kind
    with: (namespace, more) => extend(known, `${namespace}/`, more),
  };
}

/**
 * Builds the algorithm that a reference names, resolving the references inside its options first.
 * `resolveReference(registry, { kind: 'quantizer', reference: { use: 'static' }, where: 'steps[0].quantize' })`
 * @throws REFERENCE_INVALID, PLUGIN_UNKNOWN, OPTION_UNKNOWN, OPTION_INVALID, OPTION_MISSING.
 */
export function resolveReference<K extends Kind>(
  registry: Registry,
  {
    kind,
    reference,
    where,
    made = {},
  }: {
    readonly kind: K;
    readonly reference: unknown;
    readonly where: string;
    /** Plugins among the options that are made already. */
    readonly made?: Readonly<Record<string, unknown>>;
  },
): Kinds[K] {
  const { use, given } = readReference(reference, where);
  const plugin = findPlugin(registry, { kind, use, where });
  const open = Object.fromEntries(Object.entries(plugin.options).filter(([name]) => !Object.hasOwn(made, name)));
  const resolved = { ...resolveInner(registry, open, given, `${where}.with`), ...made };
  resolveOptions(`${where}.with`, plugin.options, resolved); // the plugin checks too, but knows no path
  return instantiate(plugin, resolved);
}

/** A plugin by name, with the place where it is named in front of the message. @throws PLUGIN_UNKNOWN. */
export function findPlugin<K extends Kind>(
  registry: Registry,
  { kind, use, where }: { readonly kind: K; readonly use: string; readonly where: string },
): AnyPlugin<K> {
  try {
    return registry.find(kind, use);
  } catch (cause) {
    if (!(cause instanceof EspalierError)) throw cause;
    throw new EspalierError(cause.code, `${where}: ${cause.message}`, { ...cause.details, where }, { cause });
  }
}

/** The id and the options of a reference as written. @throws REFERENCE_INVALID. */
export function readReference(
  reference: unknown,
  where: string,
): { use: string; given: Readonly<Record<string, unknown>> } {
  if (typeof reference === 'string') return { use: reference, given: {} };
  let fix = '';
  if (isRecord(reference)) {
    const strange = Object.keys(reference).find((key) => key !== 'use' && key !== 'with');
    const use = reference['use'];
    const given = reference['with'] ?? {};
    if (strange === undefined && typeof use === 'string' && isRecord(given)) return { use, given };
    if (strange !== undefined)
      fix = didYouMean(strange, ['use', 'with']).trim() || `"${strange}" belongs inside "with".`;
  }
  throw problem('REFERENCE_INVALID', {
    where,
    expected: 'an id, or { use: id, with: { ...options } }',
    found: shown(reference),
    fix,
  });
}

function resolveInner(
  registry: Registry,
  table: Options,
  given: Readonly<Record<string, unknown>>,
  where: string,
): Record<string, unknown> {
  const out: Record<string, unknown> = Object.assign(Object.create(null), given);
  for (const [key, option] of Object.entries(table)) {
    const written = Object.hasOwn(given, key) ? given[key] : undefined;
    if (written === undefined && !optionApplies(table, option.when, given)) continue;
    if (option.type === 'plugin') {
      const reference = written ?? option.default;
      if (reference !== undefined)
        out[key] = resolveReference(registry, { kind: option.kind, reference, where: `${where}.${key}` });
    }
    if (option.type === 'group') {
      const inner = written ?? {};
      if (!isRecord(inner)) {
        throw problem('OPTION_INVALID', {
          where: `${where}.${key}`,
          expected: describeOption(option),
          found: shown(inner),
        });
      }
      out[key] = resolveInner(registry, option.of, inner, `${where}.${key}`);
    }
  }
  return out;
}
