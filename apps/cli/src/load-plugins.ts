import { dirname } from 'node:path';
import { type AnyPlugin, EspalierError, nearest, problem, type Registry } from '@espalier/core';
import { findModule, type PluginModule } from './find-module.js';
import { importModule } from './import-module.js';
import { type PluginSource, thrownIn } from './plugin-fault.js';

/** A package of plugins to load. */
export interface PluginRequest {
  /** Its plugins are found as `NAMESPACE/ID`. Default: from the name of the package or file. */
  readonly namespace?: string;
  /** A package, or the path of a file or a folder. */
  readonly name: string;
  /** Where it is named: `--plugin ./mine.js`, or `plugins.acme` of a recipe. */
  readonly where: string;
  /** The folder that names and paths are looked up from: the recipe's, or the working folder. */
  readonly folder: string;
}

/** A registry with further plugins, and where they came from. */
export interface LoadedPlugins {
  readonly registry: Registry;
  readonly sources: readonly PluginSource[];
}

/** The request that `--plugin [NAMESPACE=]PACKAGE` makes. */
export function pluginFlag(written: string, folder: string): PluginRequest {
  const [, namespace, name] = /^([a-z0-9][a-z0-9-]*)=(.+)$/.exec(written) ?? [];
  const where = `--plugin ${written}`;
  return namespace === undefined || name === undefined
    ? { name: written, where, folder }
    : { namespace, name, where, folder };
}

/** The requests of `plugins: { NAMESPACE: PACKAGE }` in a recipe. */
export const pluginEntries = (packages: Readonly<Record<string, string>>, folder: string): readonly PluginRequest[] =>
  Object.entries(packages).map(([namespace, name]) => ({ namespace, name, where: `plugins.${namespace}`, folder }));

/**
 * Adds third-party packages to a registry. A package exports its plugins as a list named `plugins`. Several packages
 * may share a namespace; the same module under the same namespace is added once.
 * @throws PLUGIN_PACKAGE when a package is not found, fails while it loads, or exports no plugins.
 * @throws PLUGIN_DUPLICATE when two packages have plugins of one kind, namespace and id.
 */
export async function loadPlugins(registry: Registry, requests: readonly PluginRequest[]): Promise<LoadedPlugins> {
  let extended = registry;
  const sources: PluginSource[] = [];
  for (const request of requests) {
    const module = findModule(request);
    const namespace = request.namespace ?? namespaceOf(module);
    if (sources.some((each) => each.file === module.file && each.namespace === namespace)) continue;
    const plugins = pluginsIn(await load(request, module), request.where);
    checkKinds(registry, plugins, request.where);
    try {
      extended = extended.with(namespace, plugins);
    } catch (cause) {
      throw at(request.where, cause);
    }
    sources.push({ namespace, name: request.name, file: module.file, folder: module.root ?? dirname(module.file) });
  }
  return { registry: extended, sources };
}

/**
 * The namespace of a module: the scope of its package (`@acme/espalier-ternary` is `acme`), else the name of the
 * package without `espalier-` in front, or of the file.
 */
export function namespaceOf({ name }: Pick<PluginModule, 'name'>): string {
  const scope = /^@([^/]+)\//.exec(name)?.[1];
  return (scope ?? name.replace(/^espalier-/, '')).toLowerCase().replace(/[^a-z0-9-]/g, '-');
}

/** An error with the place where the package is named in front. */
const at = (where: string, cause: unknown): unknown =>
  cause instanceof EspalierError
    ? new EspalierError(cause.code, `${where}: ${cause.message}`, { ...cause.details, where }, { cause })
    : cause;

async function load({ where }: PluginRequest, { file }: PluginModule): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importModule(file);
  } catch (cause) {
    if (cause instanceof EspalierError) throw at(where, cause);
    throw problem('PLUGIN_PACKAGE', {
      where: `${where} (${file})`,
      expected: 'a module that loads',
      found: thrownIn(cause, dirname(file)),
      fix: 'The module was found, but its code failed: correct it, or report it to its author. ESPALIER_DEBUG=1 prints the stack.',
      cause,
    });
  }
}

function pluginsIn(exported: Readonly<Record<string, unknown>>, where: string): readonly AnyPlugin[] {
  const list = exported['plugins'];
  if (Array.isArray(list) && list.length > 0 && list.every(isPlugin)) return list;
  const strange = Array.isArray(list) ? list.findIndex((each) => !isPlugin(each)) : -1;
  throw problem('PLUGIN_PACKAGE', {
    where,
    expected: 'an export named `plugins`: a list of plugins made with definePlugin',
    found:
      list === undefined
        ? `exports ${Object.keys(exported).join(', ') || 'nothing'}`
        : strange >= 0
          ? `something else in plugins[${strange}]`
          : Array.isArray(list)
            ? 'an empty list'
            : 'something else under that name',
    fix: 'See docs/writing-a-plugin.md.',
  });
}

const isPlugin = (value: unknown): value is AnyPlugin =>
  typeof value === 'function' && 'kind' in value && 'id' in value && 'options' in value;

/** A plugin may be of a kind of its own, but not of one that is spelled nearly as a known kind. */
function checkKinds(registry: Registry, plugins: readonly AnyPlugin[], where: string): void {
  const kinds = new Set<string>(registry.list().map(({ kind }) => kind));
  for (const { kind, id } of plugins) {
    const meant = kinds.has(kind) ? undefined : nearest(`${kind}`, kinds);
    if (meant === undefined) continue;
    throw problem('PLUGIN_INVALID', {
      where: `${where}, plugin "${id}"`,
      expected: `one of the kinds ${[...kinds].join(', ')}, or one of its own`,
      found: `kind "${kind}"`,
      fix: `Did you mean "${meant}"?`,
    });
  }
}
