import { type Executor, type Graph, type Resolved, resolveOptions, type Session, sessionCache } from '@espalier/core';
import { openHeap } from './heap.js';
import { openSession } from './open-session.js';
import { tensorCoreOptions } from './tensor-core-options.js';

/** Options of a TensorFlow.js executor. */
export interface TensorCoreOptions {
  /**
   * Where graphs run: 'wasm' everywhere, 'webgpu' in browsers that have it and pages that install
   * @tensorflow/tfjs-backend-webgpu. 'auto' is 'wasm'.
   */
  readonly backend?: 'auto' | 'wasm' | 'webgpu';
  /** In browsers: the URL of the folder that serves the .wasm files of @tensorflow/tfjs-backend-wasm. */
  readonly wasmPaths?: string;
}

/**
 * Runs graphs on TensorFlow.js: in the memory of its WebAssembly backend, in Node and in browsers, on one thread, where
 * equal inputs give equal results on every machine; or on the GPU of a browser, where sums may differ in their last
 * digits. `open` ignores `optimize`: the graph is run as it is. @throws OPTION_INVALID, OPTION_UNKNOWN.
 */
export function createTensorCore(options: TensorCoreOptions = {}): Executor {
  const { backend, wasmPaths } = resolveOptions('createTensorCore', tensorCoreOptions, options) as Resolved<
    typeof tensorCoreOptions
  >; // resolveOptions returns exactly the table's keys, checked
  const { open, describe } = backend === 'webgpu' ? webGpu : webAssembly(wasmPaths);
  const sessions = sessionCache(open);
  return {
    id: 'tfjs',
    describe,
    // The options change nothing here, so they share one session.
    open: (graph) => sessions.open(graph),
    close: sessions.close,
  };
}

interface Backend {
  readonly describe: () => Promise<string>;
  readonly open: (graph: Graph) => Promise<Session>;
}

const webAssembly = (wasmPaths: string): Backend => ({
  describe: async () => `tfjs-backend-wasm ${(await openHeap(wasmPaths)).version}`,
  open: async (graph) => openSession(await openHeap(wasmPaths), graph),
});

// Loaded when it is asked for, so that other pages need not fetch it.
const webGpu: Backend = {
  async describe() {
    const { loadWebGpu } = await import('./webgpu/load-web-gpu.js');
    return (await loadWebGpu()).name;
  },
  async open(graph) {
    const [{ loadWebGpu }, { openGpuSession }] = await Promise.all([
      import('./webgpu/load-web-gpu.js'),
      import('./webgpu/open-gpu-session.js'),
    ]);
    return openGpuSession(await loadWebGpu(), graph);
  },
};
