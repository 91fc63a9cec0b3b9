import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { DataStore } from './data-store.js';
import { nodeStore } from './node-store.js';

const files = {
  jpeg: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
  png: '@jsquash/png/codec/pkg/squoosh_png_bg.wasm',
} as const;

/** The compiled WebAssembly of an image decoder, from the file inside its package. */
export async function readWasm(codec: 'jpeg' | 'png'): Promise<WebAssembly.Module | undefined> {
  const path = createRequire(import.meta.url).resolve(files[codec]);
  return WebAssembly.compile(await readFile(path));
}

/** The store of the disk. */
export const platformStore = (): DataStore => nodeStore();
