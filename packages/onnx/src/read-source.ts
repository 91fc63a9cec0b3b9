import { type ByteRange, type Files, joinBytes, missingFile } from '@espalier/core';
import { findHoles } from './find-holes.js';
import { type Hole, type Source, wholeSource } from './source.js';

/** Smaller files are read at once: copying a misaligned weight then costs little. */
const small = 4 * 1024 * 1024;

/**
 * The bytes of a model file. Of a large one, each long weight is read into memory of its own, so that it needs no
 * copy to be aligned and the file is never held twice.
 * @throws FILE_MISSING and what `files` throws.
 */
export async function readSource(
  files: Files,
  path: string,
): Promise<{ readonly source: Source; readonly size: number }> {
  const size = await files.size(path);
  if (size === undefined) throw missingFile(path);
  const ranges = size < small ? undefined : await findHoles((range) => files.read(path, range), size);
  const inHoles = ranges?.reduce((sum, { length }) => sum + length, 0) ?? 0;
  // Joining what lies between the holes takes it twice for a moment: only worth it when the holes are most of it.
  if (!ranges || inHoles < size / 2) return { source: wholeSource(await files.read(path)), size };
  return { source: await readAround(files, path, { ranges, size }), size };
}

async function readAround(
  files: Files,
  path: string,
  { ranges, size }: { readonly ranges: readonly ByteRange[]; readonly size: number },
): Promise<Source> {
  const pieces: Uint8Array[] = [];
  const holes: Hole[] = [];
  let from = 0;
  let kept = 0;
  const keepUpTo = async (offset: number) => {
    pieces.push(await files.read(path, { offset: from, length: offset - from }));
    kept += offset - from;
  };
  for (const range of ranges) {
    await keepUpTo(range.offset);
    holes.push({ at: kept, data: await files.read(path, range) });
    from = range.offset + range.length;
  }
  await keepUpTo(size);
  return { bytes: joinBytes(pieces), holes };
}
