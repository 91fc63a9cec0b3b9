import { host } from '#host';
import type { Api, Loader } from './runtime.js';

/**
 * Imports onnxruntime-web and sets what holds for the whole page: where its files are and how many threads it has.
 * In Node it runs on one thread; in browsers without a number it chooses for itself.
 */
export const webLoader = ({
  threads,
  wasmPaths,
}: {
  readonly threads: number;
  readonly wasmPaths: string;
}): Loader => ({
  package: 'onnxruntime-web',
  async load() {
    // The catch tells bundlers that the package may be absent.
    const api: Api = await import('onnxruntime-web').catch((cause: unknown) => {
      throw cause;
    });
    if (host.native) api.env.wasm.numThreads = threads || 1;
    else if (threads > 0) api.env.wasm.numThreads = threads;
    if (wasmPaths) api.env.wasm.wasmPaths = wasmPaths;
    return api;
  },
});
