import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Host } from './host.js';

const events = ['uncaughtException', 'unhandledRejection'] as const;

/** Node: the files lie beside the package's main module, and emscripten's process hooks are taken out again. */
export const host: Host = {
  wasmFolder: () => `${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`,
  // Those hooks rethrow every failure of the whole process behind a page of minified source.
  async guarded(start) {
    const before = new Map(events.map((event) => [event, new Set(process.listeners(event as 'uncaughtException'))]));
    try {
      return await start();
    } finally {
      for (const event of events) {
        for (const listener of process.listeners(event as 'uncaughtException')) {
          if (!before.get(event)?.has(listener)) process.removeListener(event, listener);
        }
      }
    }
  },
};
