import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { type Executor, type Files, problem, type Registry } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { registry as builtIn } from 'espalier';
import { numberFlag, type SharedFlags } from './flags.js';
import { loadPlugins, pluginEntries, pluginFlag } from './load-plugins.js';
import { pluginFault } from './plugin-fault.js';
import { type ProgressLine, progressLine } from './progress-line.js';
import type { Surroundings } from './surroundings.js';

/** Everything a verb works with. */
export interface Workbench {
  readonly registry: Registry;
  readonly executor: Executor;
  /** Paths as the user types them, from the working folder. */
  readonly files: Files;
  readonly seed: number;
  readonly progress: ProgressLine;
  /** Prints the answer: the JSON document with `--json`, the text otherwise. */
  answer(value: unknown, text: () => string): void;
}

/** Sets up a verb's work, runs it, and puts everything away again. */
export async function withWorkbench<T>(
  flags: SharedFlags,
  surroundings: Surroundings,
  { plugins = {}, folder = surroundings.cwd, work }: WorkbenchUse<T>,
): Promise<T> {
  const seed = numberFlag('--seed', flags.seed, { min: 0, integer: true }) ?? 0;
  const threads = numberFlag('--threads', flags.threads, { min: 1, max: 256, integer: true });
  const flagged = flags.plugin.map((written) => pluginFlag(written, surroundings.cwd));
  const { registry, sources } = await loadPlugins(builtIn, [...pluginEntries(plugins, folder), ...flagged]);
  try {
    return await withExecutor(openExecutor(registry, flags.executor, threads), async (executor) => {
      const progress = progressLine(surroundings, { quiet: flags.quiet === true });
      try {
        return await work({
          registry,
          executor,
          files: nodeFiles(surroundings.cwd, { confine: false }),
          seed,
          progress,
          answer: (value, text) => surroundings.out(flags.json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`),
        });
      } finally {
        progress.close();
      }
    });
  } catch (error) {
    throw pluginFault(error, sources);
  }
}

async function withExecutor<T>(executor: Executor, work: (executor: Executor) => Promise<T>): Promise<T> {
  try {
    return await work(executor);
  } finally {
    await executor.close();
  }
}

/** The setup, and the work itself. */
export interface WorkbenchUse<T> {
  /** Packages a recipe names, by namespace, and the folder they are looked up from. */
  readonly plugins?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly work: (bench: Workbench) => Promise<T>;
}

function openExecutor(registry: Registry, wanted: string, threads: number | undefined): Executor {
  const ids = registry.ids('executor');
  const id = wanted === 'auto' ? ids[0] : wanted;
  if (id === undefined) {
    throw problem('PLUGIN_UNKNOWN', { where: '--executor', expected: 'an executor plugin', found: 'none registered' });
  }
  const plugin = registry.find('executor', id);
  const options = threads !== undefined && Object.hasOwn(plugin.options, 'threads') ? { threads } : {};
  return plugin(options as never); // the plugin checks its own options
}

/** Where downloads are kept: `ESPALIER_CACHE`, or the usual place of the system. */
export function cacheFolder({ environment }: Surroundings): string {
  const named = environment['ESPALIER_CACHE'];
  if (named) return resolve(named);
  const base = environment['XDG_CACHE_HOME'] ?? environment['LOCALAPPDATA'] ?? resolve(homedir(), '.cache');
  return resolve(base, 'espalier');
}
