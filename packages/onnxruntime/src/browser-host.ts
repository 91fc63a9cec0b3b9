import type { Host } from './host.js';

/** Browsers: no native runtime and no disk; onnxruntime-web chooses its own number of threads. */
export const host: Host = { cores: () => undefined };
