import type { ByteRange } from '@espalier/core';

/** Shorter raw data is read along with everything else. */
const smallest = 65536;
const windowSize = 16384;

type Read = (range: ByteRange) => Promise<Uint8Array>;

/** The messages on the way from the model to the raw data of its weights: which field leads on. */
const way = [{ field: 7 }, { field: 5 }] as const; // Model.graph, Graph.initializer
const rawData = 9; // Tensor.raw_data

/**
 * Where in a model file the long runs of raw data of its weights stand, found by reading only the heads of fields.
 * Undefined when the file is malformed: reading it whole then tells what is wrong.
 */
export async function findHoles(read: Read, size: number): Promise<readonly ByteRange[] | undefined> {
  const holes: ByteRange[] = [];
  const ends = [size];
  const window = createWindow(read, size);
  let at = 0;
  while (ends.length > 0) {
    const end = ends.at(-1)!;
    if (at >= end) {
      if (at > end) return undefined;
      ends.pop();
      continue;
    }
    if (!window.holds(at)) await window.move(at);
    const head = window.head(at);
    if (!head) return undefined;
    const { field, layout, length } = head;
    at += head.bytes;
    const depth = ends.length - 1;
    if (layout === 2 && at + length > end) return undefined;
    if (layout === 2 && way[depth]?.field === field) ends.push(at + length);
    else {
      if (layout === 2 && depth === way.length && field === rawData && length >= smallest) {
        holes.push({ offset: at, length });
      }
      at += length;
    }
  }
  return holes;
}

interface Head {
  readonly field: number;
  readonly layout: number;
  /** Bytes of the head itself. */
  readonly bytes: number;
  /** Bytes that follow it. */
  readonly length: number;
}

function createWindow(read: Read, size: number) {
  let start = 0;
  let bytes = new Uint8Array(0);
  // A head is at most two varints of 10 bytes.
  const holds = (at: number) => at >= start && Math.min(at + 20, size) <= start + bytes.length;
  const varint = (at: number): { readonly value: number; readonly next: number } | undefined => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at - start + i];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { value, next: at + i + 1 };
    }
    return undefined;
  };
  return {
    holds,
    async move(at: number) {
      start = at;
      bytes = new Uint8Array(await read({ offset: at, length: Math.min(windowSize, size - at) }));
    },
    head(at: number): Head | undefined {
      const tag = varint(at);
      const value = tag && varint(tag.next);
      if (!tag) return undefined;
      const field = Math.floor(tag.value / 8);
      const layout = tag.value % 8;
      const bytesOf = (next: number) => next - at;
      if (layout === 0) return value && { field, layout, bytes: bytesOf(value.next), length: 0 };
      if (layout === 2) return value && { field, layout, bytes: bytesOf(value.next), length: value.value };
      if (layout === 1) return { field, layout, bytes: bytesOf(tag.next), length: 8 };
      return layout === 5 ? { field, layout, bytes: bytesOf(tag.next), length: 4 } : undefined;
    },
  };
}
