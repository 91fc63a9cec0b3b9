import { definePlugin } from '@espalier/core';
import { createTensorCore } from './create-tensor-core.js';
import { tensorCoreOptions } from './tensor-core-options.js';

/** Plugin: runs graphs on TensorFlow.js. */
export const tfjs = /* @__PURE__ */ definePlugin({
  kind: 'executor',
  id: 'tfjs',
  about: 'Runs graphs on TensorFlow.js: in WebAssembly in Node and in browsers, or on the GPU of a browser.',
  options: tensorCoreOptions,
  create: createTensorCore,
});
