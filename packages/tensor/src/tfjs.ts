import { definePlugin } from '@espalier/core';
import { createTensorCore } from './create-tensor-core.js';
import { tensorCoreOptions } from './tensor-core-options.js';

/** Plugin: runs graphs on TensorFlow.js. */
export const tfjs = /* @__PURE__ */ definePlugin({
  kind: 'executor',
  id: 'tfjs',
  about: 'Runs graphs in WebAssembly on TensorFlow.js, in Node and in browsers.',
  options: tensorCoreOptions,
  create: createTensorCore,
});
