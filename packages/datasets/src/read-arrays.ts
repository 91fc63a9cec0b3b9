import type { Files, Tensor } from '@espalier/core';
import { badFormat } from './errors.js';
import { readNpy } from './npy-format.js';
import { readNpz } from './npz.js';
import { readDataFile, unpackedLimit } from './read-data-file.js';

/**
 * The arrays of an NPZ file by name, or the one array of an NPY file under the empty name; `.gz` is unpacked.
 * @throws FILE_MISSING, DATA_FORMAT, DATA_LIMIT.
 */
export async function readArrays(files: Files, path: string): Promise<ReadonlyMap<string, Tensor>> {
  const bytes = await readDataFile(files, path);
  if (bytes[0] === 0x93) return new Map([['', readNpy(bytes, path)]]);
  if (bytes[0] === 0x50) return readNpz(bytes, { where: path, limit: unpackedLimit });
  throw badFormat(path, { expected: 'a NumPy file, .npy or .npz', found: 'other bytes' });
}
