import { type Executor, type Resolved, resolveOptions, sessionCache } from '@espalier/core';
import { openHeap } from './heap.js';
import { openSession } from './open-session.js';
import { tensorCoreOptions } from './tensor-core-options.js';

/** How a TensorFlow.js executor is made. */
export interface TensorCoreOptions {
  /** In browsers: the URL of the folder that serves the .wasm files of @tensorflow/tfjs-backend-wasm. */
  readonly wasmPaths?: string;
}

/**
 * Runs graphs in the memory of TensorFlow.js's WebAssembly backend, in Node and in browsers, on one thread. Equal
 * inputs give equal results on every machine. `open` ignores `optimize`: the graph is run as it is.
 * @throws OPTION_INVALID, OPTION_UNKNOWN.
 */
export function createTensorCore(options: TensorCoreOptions = {}): Executor {
  const { wasmPaths } = resolveOptions('createTensorCore', tensorCoreOptions, options) as Resolved<
    typeof tensorCoreOptions
  >; // resolveOptions returns exactly the table's keys, checked
  const heap = () => openHeap(wasmPaths);
  const sessions = sessionCache(async (graph) => openSession(await heap(), graph));

  return {
    id: 'tfjs',
    describe: async () => `tfjs-backend-wasm ${(await heap()).version}`,
    // The options change nothing here, so they share one session.
    open: (graph) => sessions.open(graph),
    close: sessions.close,
  };
}
