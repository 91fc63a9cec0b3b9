/** Blocks of at least this many bytes are passed on by reference. */
const byReference = 4096;

/**
 * Writes bytes from the last to the first: a message's length is known once its content is written, so one walk is
 * enough and nothing is moved.
 */
export interface WireWriter {
  /** Bytes written so far. */
  readonly length: number;
  /** Puts a varint of 64 bits, given as halves, before what was written. */
  varint(low: number, high: number): void;
  /** Puts a float32 before what was written. */
  float32(value: number): void;
  /** Puts bytes before what was written; large ones by reference. */
  bytes(bytes: Uint8Array): void;
  /** Puts the UTF-8 bytes of a text before what was written. */
  text(text: string): void;
  /** Everything written, in file order. */
  chunks(): readonly Uint8Array[];
}

/** A writer with nothing in it. */
export function createWireWriter(): WireWriter {
  const encoder = new TextEncoder();
  const done: Uint8Array[] = []; // last chunk first
  let buffer = new Uint8Array(16384);
  let view = new DataView(buffer.buffer);
  let start = buffer.length; // the first byte of the buffer in use
  let flushed = 0;

  const flush = () => {
    if (start < buffer.length) done.push(buffer.subarray(start));
    flushed += buffer.length - start;
  };
  const reserve = (bytes: number) => {
    if (start >= bytes) return;
    flush();
    buffer = new Uint8Array(Math.max(bytes, 65536));
    view = new DataView(buffer.buffer);
    start = buffer.length;
  };
  const bytes = (block: Uint8Array) => {
    if (block.length >= byReference) {
      flush();
      done.push(block);
      flushed += block.length;
      // What is left of the buffer goes on being used, up to where it was flushed.
      buffer = buffer.subarray(0, start);
      return;
    }
    reserve(block.length);
    start -= block.length;
    buffer.set(block, start);
  };
  // Names are mostly short and plain; encoding them one by one would cost an array each.
  const plain = (text: string): boolean => {
    if (text.length > 64) return false;
    reserve(text.length);
    const from = start - text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[from + i] = code;
    }
    start = from;
    return true;
  };
  return {
    get length() {
      return flushed + buffer.length - start;
    },
    varint(low, high) {
      reserve(10);
      const size = varintSize(low, high);
      start -= size;
      let [rest, upper] = [low >>> 0, high >>> 0];
      for (let i = 0; i < size; i++) {
        buffer[start + i] = (rest & 0x7f) | (i < size - 1 ? 0x80 : 0);
        rest = ((rest >>> 7) | (upper << 25)) >>> 0;
        upper >>>= 7;
      }
    },
    float32(value) {
      reserve(4);
      start -= 4;
      view.setFloat32(start, value, true);
    },
    bytes,
    text(text) {
      if (!plain(text)) bytes(encoder.encode(text));
    },
    chunks() {
      const rest = buffer.subarray(start);
      return [...(rest.length > 0 ? [rest] : []), ...done.toReversed()];
    },
  };
}

function varintSize(low: number, high: number): number {
  let size = 1;
  let rest = low >>> 0;
  let upper = high >>> 0;
  while (upper > 0 || rest > 0x7f) {
    rest = ((rest >>> 7) | (upper << 25)) >>> 0;
    upper >>>= 7;
    size++;
  }
  return size;
}

/** The halves of a whole number as int64, saturated at the ends of its range. */
export function int64Halves(value: number): readonly [low: number, high: number] {
  if (value >= 2 ** 63) return [0xffffffff, 0x7fffffff];
  if (value <= -(2 ** 63)) return [0, 0x80000000];
  // Floor keeps the low half positive, which is two's complement.
  const high = Math.floor(value / 4294967296);
  return [value - high * 4294967296, high >>> 0];
}
