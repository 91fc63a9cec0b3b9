import type { DataStore } from './data-store.js';
import { download } from './download.js';

/** Published files in a browser: downloaded once for each page, if the address allows pages of other origins. */
export function webStore(): DataStore {
  const kept = new Map<string, Promise<Uint8Array>>();
  return {
    fetch(file, progress) {
      const found = kept.get(file.sha256);
      if (found) return found;
      const wanted = download(file, progress ? { progress } : {}).then(({ content }) => content);
      kept.set(file.sha256, wanted);
      wanted.catch(() => kept.delete(file.sha256));
      return wanted;
    },
  };
}
