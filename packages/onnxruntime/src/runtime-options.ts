import type { Options } from '@espalier/core';

/** The options of an onnxruntime executor, as data. */
export const runtimeOptions = {
  threads: {
    type: 'integer',
    default: 0,
    min: 0,
    max: 256,
    about: 'threads inside one run; 0 means the physical cores',
  },
  backend: {
    type: 'choice',
    of: ['auto', 'node', 'web'],
    default: 'auto',
    about: 'which package runs it: onnxruntime-node, onnxruntime-web, or the first of them that can be loaded',
  },
  wasmPaths: { type: 'text', default: '', about: "the URL of the folder with onnxruntime-web's .wasm files" },
} as const satisfies Options;
