import { type Executor, type Graph, type Resolved, resolveOptions, type Session } from '@espalier/core';
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
  const known = new WeakMap<Graph, Promise<Session>>();
  const sessions = new Set<Promise<Session>>();

  return {
    id: 'tfjs',
    describe: async () => `tfjs-backend-wasm ${(await heap()).version}`,
    open(graph) {
      const found = known.get(graph);
      if (found) return found;
      const forget = () => {
        known.delete(graph);
        sessions.delete(opened);
      };
      const opened: Promise<Session> = heap()
        .then((ready) => openSession(ready, graph))
        .then(
          (session) => ({
            ...session,
            close() {
              forget();
              return session.close();
            },
          }),
          (cause) => {
            forget(); // the next call tries again
            throw cause;
          },
        );
      known.set(graph, opened);
      sessions.add(opened);
      return opened;
    },
    async close() {
      const open = await Promise.allSettled([...sessions]);
      await Promise.all(open.map((each) => (each.status === 'fulfilled' ? each.value.close() : undefined)));
    },
  };
}
