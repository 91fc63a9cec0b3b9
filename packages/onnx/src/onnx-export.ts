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
    externalEnding: {
      type: 'text',
      default: '.data',
      about: "what follows the model's name in that of the file beside it; transformers.js looks for _data",
    },
    externalLimit: {
      type: 'integer',
      min: 1,
      optional: true,
      about: 'most bytes of a file beside the model; what is beyond goes to NAME_1, NAME_2 and so on',
    },
    sparse: {
      type: 'boolean',
      default: false,
      about: 'whether mostly-zero weights are stored as sparse tensors: smaller files, not faster models',
    },
  },
  create: ({ externalLimit, ...options }) => ({
    extension: 'onnx',
    write: (graph, files, path) =>
      writeOnnx(graph, files, { path, ...options, ...(externalLimit === undefined ? {} : { externalLimit }) }),
  }),
});
