import type { DataStore } from './data-store.js';
import { webStore } from './web-store.js';

/** Undefined: in browsers the decoders fetch their own WebAssembly from beside their script, as bundlers arrange. */
export async function readWasm(_codec: 'jpeg' | 'png'): Promise<WebAssembly.Module | undefined> {
  return undefined;
}

let store: DataStore | undefined;

/** The store of the page. */
export const platformStore = (): DataStore => {
  store ??= webStore();
  return store;
};
