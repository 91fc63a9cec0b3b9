import { definePlugin } from '@espalier/core';
import { writeOnnx } from './write-onnx.js';

/** Writes ONNX files, with a file of weights beside them where they are too large for one. */
export const onnxExport = /* @__PURE__ */ definePlugin({
  kind: 'export',
  id: 'onnx',
  about: 'Writes ONNX models; weights that do not fit into 2 GiB go to a file beside the model.',
  options: {
    externalData: {
      type: 'choice',
      of: ['auto', 'always', 'never'],
      default: 'auto',
      about: 'whether weights go to a file beside the model: where they must, always, or never',
    },
    externalThreshold: {
      type: 'integer',
      default: 1024,
      min: 0,
      about: 'the smallest weight in bytes that goes to the file beside the model, when there is one',
    },
    sparse: {
      type: 'boolean',
      default: false,
      about: 'whether mostly-zero weights are stored as sparse tensors: smaller files, not faster models',
    },
  },
  create: (options) => ({
    extension: 'onnx',
    write: (graph, files, path) => writeOnnx(graph, files, { path, ...options }),
  }),
});
