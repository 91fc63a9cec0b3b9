import { beside, EspalierError, type Files } from '@espalier/core';
import type { ExternalReference } from './decode-context.js';
import { beyondLimit, externalMissing, externalPath, quoted } from './errors.js';

/** The bytes that references name, each range read once. */
export interface ExternalData {
  readonly bytes: number;
  find(reference: ExternalReference): Uint8Array | undefined;
}

const keyOf = ({ location, offset, length }: ExternalReference) => `${offset} ${length} ${location}`;

/**
 * Reads the ranges that a model names in files beside it.
 * @throws ONNX_EXTERNAL_MISSING (no such file, or too short), ONNX_EXTERNAL_PATH (a link out of the folder),
 * ONNX_LIMIT when the ranges of a file add up to more than twice its size.
 */
export async function readExternal(
  files: Files,
  path: string,
  references: readonly ExternalReference[],
): Promise<ExternalData> {
  const distinct = new Map(references.map((reference) => [keyOf(reference), reference]));
  const sizes = new Map<string, number>();
  const asked = new Map<string, number>();
  for (const reference of distinct.values()) {
    const { location, length, offset, place } = reference;
    const size = sizes.get(location) ?? (await sizeBeside(files, path, reference));
    sizes.set(location, size);
    if (offset + length > size) {
      throw externalMissing(place, {
        expected: `bytes ${offset} to ${offset + length} of ${quoted(location)}`,
        found: `a file of ${size} bytes`,
      });
    }
    const sum = (asked.get(location) ?? 0) + length;
    asked.set(location, sum);
    if (sum > 2 * size) {
      throw beyondLimit(place, {
        expected: `ranges of ${quoted(location)} that add up to at most twice its size`,
        found: `${sum} bytes of a file of ${size}`,
        fix: 'Overlapping ranges would take more memory than the files have.',
      });
    }
  }
  const found = new Map<string, Uint8Array>();
  for (const [key, { location, offset, length }] of distinct) {
    found.set(key, length === 0 ? new Uint8Array(0) : await files.read(beside(path, location), { offset, length }));
  }
  return {
    bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    find: (reference) => found.get(keyOf(reference)),
  };
}

async function sizeBeside(files: Files, path: string, { location, place }: ExternalReference): Promise<number> {
  const size = await files.size(beside(path, location)).catch((cause: unknown) => {
    if (!(cause instanceof EspalierError) || cause.code !== 'FILE_OUTSIDE') throw cause;
    const found = `${quoted(location)}, which leaves it`;
    throw externalPath(place, { expected: 'a file inside the folder of the model', found, cause });
  });
  if (size !== undefined) return size;
  throw externalMissing(place, { expected: `the file ${quoted(location)} beside the model`, found: 'none' });
}
