import type { Files } from '@espalier/core';
import { checkContent } from './check-content.js';
import type { PublishedFile } from './published-file.js';
import { readDataFile } from './read-data-file.js';

/** Where published files are kept and how they get there. */
export interface DataStore {
  /**
   * The content of a file, unpacked and checked: found, or downloaded and kept.
   * @throws DATA_DOWNLOAD when it cannot be had, DATA_CHECKSUM when it is not what was published.
   */
  fetch(file: PublishedFile, progress?: (message: string, done?: number) => void): Promise<Uint8Array>;
}

declare module '@espalier/core' {
  interface DatasetContext {
    /** Where published data sets are kept; the platform's own store when left out. */
    readonly store?: DataStore;
  }
}

/**
 * The content of a published file among other files, packed or not; undefined when it is not there.
 * @throws DATA_CHECKSUM, DATA_FORMAT, DATA_LIMIT when something else is there.
 */
export async function findPublished(files: Files, file: PublishedFile): Promise<Uint8Array | undefined> {
  for (const path of [file.path, file.path.replace(/\.gz$/, '')]) {
    if ((await files.size(path)) === undefined) continue;
    const content = await readDataFile(files, path, file.bytes);
    await checkContent(content, file, path);
    return content;
  }
  return undefined;
}
