import { definePlugin } from '@espalier/core';
import { createOnnxRuntime } from './create-onnx-runtime.js';

/** Plugin: runs graphs on onnxruntime. */
export const onnxruntime = definePlugin({
  kind: 'executor',
  id: 'onnxruntime',
  about: 'Runs graphs on onnxruntime: natively in Node, as WebAssembly in browsers.',
  options: {
    threads: { type: 'integer', default: 0, min: 0, about: 'threads inside one run; 0 means the physical cores' },
    backend: {
      type: 'choice',
      of: ['auto', 'node', 'web'],
      default: 'auto',
      about: 'which package runs it: onnxruntime-node, onnxruntime-web, or the first of them that can be loaded',
    },
    wasmPaths: { type: 'text', default: '', about: "the URL of the folder with onnxruntime-web's .wasm files" },
  },
  create: ({ threads, backend, wasmPaths }) =>
    createOnnxRuntime({ threads, backend, ...(wasmPaths ? { wasmPaths } : {}) }),
});
