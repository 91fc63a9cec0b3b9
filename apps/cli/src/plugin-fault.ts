import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EspalierError, problem } from '@espalier/core';

/** A package whose plugins were loaded. */
export interface PluginSource {
  readonly namespace: string;
  readonly name: string;
  /** The module that was loaded, and the folder that its code lies in. */
  readonly file: string;
  readonly folder: string;
}

/**
 * The error of a run with plugins. One that a plugin threw, or that came of what it returned, becomes PLUGIN_FAULT and
 * names the plugin's package and the line; others are returned as they are.
 */
export function pluginFault(error: unknown, sources: readonly PluginSource[]): unknown {
  if (sources.length === 0) return error;
  const fault = error instanceof EspalierError && error.code === 'PLUGIN_FAULT' ? error : undefined;
  if (error instanceof EspalierError && !fault) return error;
  const cause = fault ? fault.cause : error;
  const source = sources.find(({ folder }) => lineIn(cause, folder) !== undefined) ?? ownerOf(fault, sources);
  const step = fault?.details['where'];
  const at = typeof step === 'string' ? `${step}, ` : '';
  if (source) {
    return problem('PLUGIN_FAULT', {
      where: `${at}plugin package "${source.name}" (namespace ${source.namespace})`,
      expected: 'its plugins to do their work, or to throw an EspalierError',
      found: thrownIn(cause, source.folder),
      fix: 'Correct the plugin, or report this to its author. ESPALIER_DEBUG=1 prints the stack.',
      details: { ...fault?.details, package: source.name, file: source.file },
      cause,
    });
  }
  const names = sources.map(({ name }) => `"${name}"`).join(', ');
  return problem('PLUGIN_FAULT', {
    where: `${at}a run with plugins of ${names}`,
    expected: 'a run without unexpected errors',
    found: thrownIn(cause, ''),
    fix: `Run it without the plugins. If it still fails, report it to Espalier; otherwise report it to the author of ${names}. ESPALIER_DEBUG=1 prints the stack.`,
    cause,
  });
}

/** The package whose namespace a step names. */
const ownerOf = (fault: EspalierError | undefined, sources: readonly PluginSource[]): PluginSource | undefined => {
  const named = fault?.details['plugins'];
  const ids = Array.isArray(named) ? named : [];
  return sources.find(({ namespace }) => ids.some((id) => `${id}`.startsWith(`${namespace}/`)));
};

/** A thrown value and the first line of code of a folder that it passed through: `TypeError: no (ternary.js:12:5)`. */
export function thrownIn(error: unknown, folder: string): string {
  const first = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0]}` : String(error);
  const line = lineIn(error, folder);
  return line === undefined ? first : `${first} (${line})`;
}

function lineIn(error: unknown, folder: string): string | undefined {
  if (!(error instanceof Error) || folder === '') return undefined;
  for (const line of (error.stack ?? '').split('\n')) {
    const place = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()]+):(\d+):(\d+)\)?$/.exec(line.trim());
    if (!place) continue;
    const [, path = '', row, column] = place;
    const file = path.startsWith('file://') ? fileURLToPath(path.replace(/\?.*$/, '')) : path;
    if (!file.startsWith(`${folder}${sep}`) || file.slice(folder.length).includes('node_modules')) continue;
    return `${file.slice(folder.length + 1)}:${row}:${column}`;
  }
  return undefined;
}
