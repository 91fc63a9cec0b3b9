import { definePlugin } from '@espalier/core';
import { createOnnxRuntime } from './create-onnx-runtime.js';
import { runtimeOptions } from './runtime-options.js';

/** Plugin: runs graphs on onnxruntime. */
export const onnxruntime = /* @__PURE__ */ definePlugin({
  kind: 'executor',
  id: 'onnxruntime',
  about: 'Runs graphs on onnxruntime: natively in Node, as WebAssembly in browsers.',
  options: runtimeOptions,
  create: createOnnxRuntime,
});
