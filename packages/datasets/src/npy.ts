import { definePlugin } from '@espalier/core';
import { draw, drawOptions, limitBytes, limitOption } from './draw-options.js';
import { readNpy } from './npy-format.js';
import { readDataFile } from './read-data-file.js';
import { tensorSet } from './tensor-set.js';

/** One array of an NPY file, with samples along its first axis. */
export const npy = definePlugin({
  kind: 'dataset',
  id: 'npy',
  about: 'One array of an NPY file, with samples along its first axis and no labels.',
  options: {
    path: { type: 'text', about: 'the .npy file; .gz is unpacked' },
    field: {
      type: 'text',
      default: 'input',
      about: 'what the field is called; a model with one input takes it under any name',
    },
    ...limitOption,
    ...drawOptions,
  },
  create: (options) => async (context) => {
    const bytes = await readDataFile(context.files, options.path, limitBytes(options));
    const fields = new Map([[options.field, readNpy(bytes, options.path)]]);
    return draw(tensorSet({ name: 'npy', fields }), options, context);
  },
});
