import type { Host } from './host.js';

/** Browsers: the page says where the .wasm files are, and nothing global is hooked. */
export const host: Host = { wasmFolder: () => undefined, guarded: (start) => start() };
