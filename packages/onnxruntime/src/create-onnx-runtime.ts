import { type Executor, type Resolved, resolveOptions, sessionCache } from '@espalier/core';
import { host } from '#host';
import { nodeOnly } from './errors.js';
import { openFile } from './open-file.js';
import { openGraph } from './open-graph.js';
import { optimizedGraph } from './optimized-graph.js';
import { type Backend, type Loader, loadRuntime, type Runtime } from './runtime.js';
import { runtimeOptions } from './runtime-options.js';
import { webLoader } from './web-loader.js';

/** Options of an onnxruntime executor. */
export interface OnnxRuntimeOptions {
  /** Threads inside one run; 0 or nothing means the physical cores this process may use. */
  readonly threads?: number;
  /** `node` and `web` name one package; `auto` takes onnxruntime-node where it can be loaded. */
  readonly backend?: Backend;
  /** Where a page serves onnxruntime-web's .wasm and .mjs files itself: the URL of their folder. */
  readonly wasmPaths?: string;
}

/**
 * Runs graphs on onnxruntime: the native package in Node, the WebAssembly one in browsers. The package is imported
 * at the first use. Equal inputs give equal results on the same machine with the same number of threads.
 * @throws OPTION_INVALID, OPTION_UNKNOWN.
 */
export function createOnnxRuntime(options: OnnxRuntimeOptions = {}): Executor {
  const { threads, backend, wasmPaths } = resolveOptions('createOnnxRuntime', runtimeOptions, options) as Resolved<
    typeof runtimeOptions
  >; // resolveOptions returns exactly the table's keys, checked
  let loading: Promise<Runtime> | undefined;
  const runtime = () => {
    loading ??= loadRuntime(loadersOf(backend, webLoader({ threads, wasmPaths })));
    return loading;
  };
  const settings = { threads: threads || (host.cores() ?? 0) };
  const sessions = sessionCache(async (graph, options) =>
    openGraph(await runtime(), graph, { ...options, ...settings }),
  );
  const optimized: Executor['optimized'] = async (file) => {
    const found = await runtime();
    if (found.package !== 'onnxruntime-node' || !host.temporaryFolder) {
      throw nodeOnly('seeing the optimized graph', found.package);
    }
    return optimizedGraph(found, file, host.temporaryFolder);
  };

  return {
    id: 'onnxruntime',
    lastNodesFirst: true, // a depth-first search from the nodes that nobody reads, the last one in the file first
    async describe() {
      const { package: name, version } = await runtime();
      return `${name} ${version}`;
    },
    open: sessions.open,
    openFile: async (file, options) => sessions.keep(openFile(await runtime(), file, { ...options, ...settings })),
    ...(backend === 'web' || !host.native ? {} : { optimized }),
    close: sessions.close,
  };
}

function loadersOf(backend: Backend, web: Loader): readonly Loader[] {
  const native = host.native ?? {
    package: 'onnxruntime-node',
    load: () => Promise.reject(new Error('this is not Node')),
  };
  switch (backend) {
    case 'node':
      return [native];
    case 'web':
      return [web];
    case 'auto':
      return host.native ? [host.native, web] : [web];
  }
}
