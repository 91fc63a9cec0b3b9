import type { Options } from '@espalier/core';

/** The options of a TensorFlow.js executor, as data. */
export const tensorCoreOptions = {
  backend: {
    type: 'choice',
    of: ['auto', 'wasm', 'webgpu'],
    default: 'auto',
    about: 'where graphs run: wasm everywhere, webgpu in browsers that have it; auto is wasm',
  },
  wasmPaths: {
    type: 'text',
    default: '',
    about: "the URL of the folder with the .wasm files of TensorFlow.js; Node finds the package's own",
  },
} as const satisfies Options;
