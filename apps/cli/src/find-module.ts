import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { problem } from '@espalier/core';

/** The module that a name leads to. */
export interface PluginModule {
  readonly file: string;
  /** Name of its package, or of the file where it is a file alone. */
  readonly name: string;
  /** The folder of its package, where it has one. */
  readonly root?: string;
}

/** Where a package or path is named, and where it is looked up from. */
export interface ModuleRequest {
  readonly name: string;
  readonly where: string;
  readonly folder: string;
}

/**
 * Finds the module of a package, or of a path: a file, or a folder with a package.json or an index file. A path needs
 * no `./` in front where the file exists.
 * @throws PLUGIN_PACKAGE when there is none.
 */
export function findModule(request: ModuleRequest): PluginModule {
  const { name, folder } = request;
  const path = resolve(folder, name);
  if (name.startsWith('.') || isAbsolute(name) || (isFile(path) && (name.includes('/') || isCode(name)))) {
    return atPath(path) ?? missing(request, `nothing to load at ${path}`, 'Correct the path.');
  }
  const from = resolve(folder, 'espalier-recipe.js');
  try {
    const file = resolvePackage(name, from);
    const root = packageAbove(dirname(file));
    return { file, name, ...(root ? { root } : {}) };
  } catch (cause) {
    const found = cause instanceof Error ? (cause.message.split('\n')[0] ?? cause.message) : String(cause);
    return missing(
      request,
      found,
      'Install it there, or correct its name. A path begins with ./ or names a file that exists.',
      cause,
    );
  }
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
const isCode = (name: string): boolean => /^\.[cm]?[jt]s$/.test(extname(name));

function missing({ where, folder }: ModuleRequest, found: string, fix: string, cause?: unknown): never {
  throw problem('PLUGIN_PACKAGE', {
    where,
    expected: `a package or file that can be imported from ${folder}`,
    found,
    fix,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The module of a file or a folder. An `index` file has the name of its package or folder. */
function atPath(path: string): PluginModule | undefined {
  const file = isFile(path) ? path : folderEntry(path);
  if (file === undefined) return undefined;
  const root = packageAbove(dirname(file));
  const stem = basename(file, extname(file));
  const named = file === path && stem !== 'index' ? stem : undefined;
  const packed = root && field(manifest(root), 'name');
  const name = named ?? (typeof packed === 'string' ? packed : basename(dirname(file)));
  return { file, name, ...(root ? { root } : {}) };
}

function folderEntry(folder: string): string | undefined {
  const entry = entryOf(manifest(folder));
  const candidates = [...(entry === undefined ? [] : [entry]), 'index.js', 'index.mjs', 'index.ts', 'index.mts'];
  return candidates.map((name) => resolve(folder, name)).find(isFile);
}

/** The nearest folder upwards that holds a package.json. */
function packageAbove(folder: string): string | undefined {
  if (isFile(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : packageAbove(above);
}

function manifest(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return undefined; // no package, or none that can be read: its files can still be loaded
  }
}

/** Where a package's ESM entry is; packages that export `import` alone are not found by `require.resolve`. */
function resolvePackage(name: string, from: string): string {
  const require = createRequire(from);
  try {
    return require.resolve(name);
  } catch (cause) {
    const folder = (require.resolve.paths(name) ?? [])
      .map((path) => resolve(path, name))
      .find((path) => manifest(path));
    const entry = folder === undefined ? undefined : entryOf(manifest(folder));
    if (folder === undefined || entry === undefined) throw cause;
    return resolve(folder, entry);
  }
}

function entryOf(json: unknown): string | undefined {
  const exports = field(json, 'exports');
  const main = field(exports, '.') ?? exports;
  const entries = [main, field(main, 'import'), field(main, 'default'), field(field(main, 'import'), 'default')];
  return [...entries, field(json, 'main')].find((entry) => typeof entry === 'string');
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined; // own keys only
