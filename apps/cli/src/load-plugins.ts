import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AnyPlugin, problem, type Registry } from '@espalier/core';

/**
 * Adds third-party packages to a registry. A package is looked up from `folder` (the recipe's, or the working
 * folder) and exports its plugins as a list named `plugins`.
 * @throws PLUGIN_PACKAGE when it is not installed or exports no plugins.
 */
export async function loadPlugins(
  registry: Registry,
  packages: Readonly<Record<string, string>>,
  folder: string,
): Promise<Registry> {
  let extended = registry;
  for (const [namespace, name] of Object.entries(packages)) {
    extended = extended.with(namespace, await pluginsOf(name, folder));
  }
  return extended;
}

/** The namespace of a package given by `--plugin`: `@acme/espalier-ternary` is `acme`, `espalier-ternary` is `ternary`. */
export function namespaceOf(name: string): string {
  const scope = /^@([^/]+)\//.exec(name)?.[1];
  return (
    scope ??
    name
      .replace(/^.*\//, '')
      .replace(/^espalier-/, '')
      .replace(/\.[cm]?js$/, '')
  )
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-');
}

async function pluginsOf(name: string, folder: string): Promise<readonly AnyPlugin[]> {
  const from = resolve(folder, 'espalier-recipe.js');
  const exported = await importFrom(name, from);
  const list = exported['plugins'];
  if (Array.isArray(list) && list.length > 0 && list.every(isPlugin)) return list;
  throw problem('PLUGIN_PACKAGE', {
    where: `package "${name}"`,
    expected: 'an export named `plugins`: a list made with definePlugin',
    found:
      list === undefined
        ? `exports ${Object.keys(exported).join(', ') || 'nothing'}`
        : 'something else under that name',
    fix: 'See docs/writing-a-plugin.md.',
  });
}

async function importFrom(name: string, from: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const file = name.startsWith('.') ? resolve(from, '..', name) : resolvePackage(name, from);
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    throw problem('PLUGIN_PACKAGE', {
      where: `package "${name}"`,
      expected: `a package that can be imported from ${resolve(from, '..')}`,
      found: cause instanceof Error ? (cause.message.split('\n')[0] ?? cause.message) : String(cause),
      fix: 'Install it there, or correct its name.',
      cause,
    });
  }
}

/** Where a package's ESM entry is; packages that export `import` alone are not found by `require.resolve`. */
function resolvePackage(name: string, from: string): string {
  const require = createRequire(from);
  try {
    return require.resolve(name);
  } catch (cause) {
    const facts = packageFacts(require, name);
    const entry = facts && entryOf(facts.json);
    if (!facts || !entry) throw cause;
    return resolve(facts.folder, entry);
  }
}

function packageFacts(
  require: NodeJS.Require,
  name: string,
): { readonly folder: string; readonly json: unknown } | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return { folder: resolve(folder, name), json: require(resolve(folder, name, 'package.json')) };
    } catch {
      // Not in this folder: go on upwards, as Node does.
    }
  }
  return undefined;
}

function entryOf(json: unknown): string | undefined {
  const exports = field(json, 'exports');
  const main = field(exports, '.') ?? exports;
  for (const found of [main, field(main, 'import'), field(main, 'default'), field(field(main, 'import'), 'default')]) {
    if (typeof found === 'string') return found;
  }
  return undefined;
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined; // own keys only

const isPlugin = (value: unknown): value is AnyPlugin =>
  typeof value === 'function' && 'kind' in value && 'id' in value && 'options' in value;
