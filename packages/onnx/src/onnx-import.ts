import { definePlugin } from '@espalier/core';
import { readOnnx } from './read-onnx.js';
import { recogniseOnnx } from './recognise-onnx.js';

/** Reads ONNX files, with their external data. */
export const onnxImport = /* @__PURE__ */ definePlugin({
  kind: 'import',
  id: 'onnx',
  about: 'Reads ONNX models (opset 7 and later), weights in files beside them included.',
  options: {},
  create: () => ({ extensions: ['onnx'], recognises: recogniseOnnx, read: (files, path) => readOnnx(files, path) }),
});
