import type { Options } from '@espalier/core';

/** The options of a TensorFlow.js executor, as data. */
export const tensorCoreOptions = {
  wasmPaths: {
    type: 'text',
    default: '',
    about: "the URL of the folder with the .wasm files of TensorFlow.js; Node finds the package's own",
  },
} as const satisfies Options;
