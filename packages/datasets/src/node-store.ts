import { homedir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@espalier/core/node';
import { type DataStore, findPublished } from './data-store.js';
import { type DownloadOptions, download } from './download.js';

/** Where a store of the disk looks and keeps files. */
export interface NodeStoreOptions {
  /** A folder of data sets that is searched first and never written. Default: `ESPALIER_DATA`. */
  readonly data?: string | undefined;
  /** Where downloads are kept; `ESPALIER_CACHE`, else the operating system's folder for caches. */
  readonly cache?: string;
  /** Milliseconds without a byte after which an address is given up. */
  readonly timeout?: number;
}

/**
 * Published files on the disk of Node: searched in the data folder, then in the cache, then downloaded, checked and
 * written to the cache under a temporary name first.
 */
export function nodeStore(options: NodeStoreOptions = {}): DataStore {
  const data = 'data' in options ? options.data : process.env['ESPALIER_DATA'];
  const cache = nodeFiles(options.cache ?? cacheFolder());
  const own = data ? nodeFiles(data) : undefined;
  return {
    async fetch(file, progress) {
      const kept = (own && (await findPublished(own, file))) ?? (await findPublished(cache, file));
      if (kept) return kept;
      progress?.(`downloading ${file.path}`, 0);
      const limits: DownloadOptions = {
        ...(progress ? { progress } : {}),
        ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      };
      const { packed, content } = await download(file, limits);
      await cache.write(file.path, [packed]);
      return content;
    },
  };
}

/** The folder for downloads: `ESPALIER_CACHE`, else where the operating system keeps caches. */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  const named = environment['ESPALIER_CACHE'];
  if (named) return named;
  if (platform === 'win32')
    return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'espalier', 'Cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'espalier');
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'espalier');
}
