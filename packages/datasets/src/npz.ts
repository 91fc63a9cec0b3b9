import { definePlugin, type Tensor } from '@espalier/core';
import { type UnzipFileInfo, unzipSync } from 'fflate';
import { draw, drawOptions, limitBytes, limitOption } from './draw-options.js';
import { badFormat, nothingFound, tooLarge } from './errors.js';
import { readNpy } from './npy-format.js';
import { readDataFile } from './read-data-file.js';
import { tensorSet } from './tensor-set.js';

/** The arrays of an NPZ file as fields, each with samples along its first axis. */
export const npz = definePlugin({
  kind: 'dataset',
  id: 'npz',
  about: 'The arrays of an NPZ file as fields under their own names, each with samples along its first axis.',
  options: {
    path: { type: 'text', about: 'the .npz file, packed or not' },
    label: { type: 'text', default: 'label', about: 'the array of class numbers; it becomes the field `label`' },
    ...limitOption,
    ...drawOptions,
  },
  create: (options) => async (context) => {
    const limit = limitBytes(options);
    const arrays = readNpz(await readDataFile(context.files, options.path, limit), { where: options.path, limit });
    if (options.label !== 'label' && !arrays.has(options.label)) {
      throw nothingFound(options.path, {
        expected: `an array ${options.label}`,
        found: [...arrays.keys()].join(', '),
        fix: 'Name the array of labels in the option `label`, or leave it out.',
      });
    }
    const fields = new Map([...arrays].map(([name, value]) => [name === options.label ? 'label' : name, value]));
    return draw(tensorSet({ name: 'npz', fields }), options, context);
  },
});

/** The arrays of an NPZ file, a zip archive of NPY files. @throws DATA_FORMAT, DATA_LIMIT, DATA_EMPTY. */
export function readNpz(
  bytes: Uint8Array,
  { where, limit }: { readonly where: string; readonly limit: number },
): ReadonlyMap<string, Tensor> {
  let total = 0;
  const filter = ({ name, originalSize }: UnzipFileInfo) => {
    if (!name.endsWith('.npy')) return false;
    total += originalSize;
    if (total > limit) throw tooLarge(where, { expected: `at most ${limit} bytes when unpacked`, found: 'more' });
    return true;
  };
  const entries = Object.entries(unzipped(bytes, where, filter));
  if (entries.length === 0) throw nothingFound(where, { expected: 'arrays (NAME.npy)', found: 'none' });
  return new Map(entries.map(([name, file]) => [name.slice(0, -4), readNpy(file, `${where}, ${name}`)]));
}

function unzipped(bytes: Uint8Array, where: string, filter: (file: UnzipFileInfo) => boolean) {
  try {
    return unzipSync(bytes, { filter });
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'EspalierError') throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    throw badFormat(where, { expected: 'an NPZ file (a zip archive)', found });
  }
}
