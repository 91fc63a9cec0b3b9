/** A long run of bytes that was read by itself and cut out of the rest. */
export interface Hole {
  /** Where the run would stand in the remaining bytes. */
  readonly at: number;
  readonly data: Uint8Array;
}

/**
 * The bytes of a file, less its holes. Large weights are read into memory of their own, so that they are aligned
 * and the file is held once.
 */
export interface Source {
  readonly bytes: Uint8Array;
  /** By rising `at`. A hole always follows the length of its field, so no two share a place. */
  readonly holes: readonly Hole[];
}

/** A source without holes. */
export const wholeSource = (bytes: Uint8Array): Source => ({ bytes, holes: [] });

/** Where in the file the byte `at` of the remaining bytes stands. */
export function fileOffset({ holes }: Source, at: number): number {
  let offset = at;
  for (const hole of holes) {
    if (hole.at >= at) break;
    offset += hole.data.length;
  }
  return offset;
}

/**
 * Where a block of `length` file bytes that begins at `at` ends in the remaining bytes; undefined when it ends
 * inside a hole. A hole at the very beginning belongs to the block, as a hole follows the length of its field.
 */
export function blockEnd({ holes }: Source, at: number, length: number): number | undefined {
  if (holes.length === 0) return at + length;
  let position = at;
  let left = length;
  for (let i = firstHole(holes, at); i < holes.length; i++) {
    const hole = holes[i]!;
    const gap = hole.at - position;
    if (left < gap || left === 0 || (left === gap && hole.at !== at)) break;
    if (left - gap < hole.data.length) return undefined;
    position = hole.at;
    left -= gap + hole.data.length;
  }
  return position + left;
}

/** The hole that makes up exactly the block of `length` file bytes at `at`, if there is one. */
export function holeAt({ holes }: Source, at: number, length: number): Uint8Array | undefined {
  if (holes.length === 0) return undefined;
  const hole = holes[firstHole(holes, at)];
  return hole?.at === at && hole.data.length === length ? hole.data : undefined;
}

// Index of the first hole at or after a place.
function firstHole(holes: readonly Hole[], at: number): number {
  let [low, high] = [0, holes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holes[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
