import { malformed, type Place, truncated } from './errors.js';
import { blockEnd, fileOffset, holeAt, type Source } from './source.js';

/** The layouts of a field's value in the bytes (Protocol Buffers encoding). */
export const wire = { varint: 0, fixed64: 1, block: 2, fixed32: 5 } as const;

/** A reading position. `low` and `high` are the halves of the last varint. */
export interface Cursor {
  readonly source: Source;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly file: string;
  /** Field names and indices (-1 for fields that do not repeat) of the messages around the position. */
  readonly path: (string | number)[];
  at: number;
  low: number;
  high: number;
  /** Messages opened so far. */
  messages: number;
}

/** A cursor at the beginning of a source. */
export const createCursor = (source: Source, file: string): Cursor => ({
  source,
  bytes: source.bytes,
  view: new DataView(source.bytes.buffer, source.bytes.byteOffset, source.bytes.length),
  file,
  path: [],
  at: 0,
  low: 0,
  high: 0,
  messages: 0,
});

/** Where a cursor stands, for errors. */
export function placeOf(cursor: Cursor, at = cursor.at): Place {
  let path = '';
  for (let i = 0; i < cursor.path.length; i += 2) {
    const index = cursor.path[i + 1];
    path += `${path ? '.' : ''}${cursor.path[i]}${index === -1 ? '' : `[${index}]`}`;
  }
  return { file: cursor.file, byte: fileOffset(cursor.source, at), path };
}

const cut = (cursor: Cursor, end: number, expected: string) => {
  const finding = { expected, found: `${Math.max(0, end - cursor.at)} bytes left` };
  return end >= cursor.bytes.length ? truncated(placeOf(cursor), finding) : malformed(placeOf(cursor), finding);
};

/** Reads a varint of up to 10 bytes into `low` and `high`. @throws ONNX_TRUNCATED, ONNX_MALFORMED. */
export function readVarint(cursor: Cursor, end: number): void {
  const { bytes } = cursor;
  const start = cursor.at;
  let at = start;
  let low = 0;
  let high = 0;
  for (let i = 0; ; i++) {
    if (at >= end) throw cut(cursor, end, 'a whole number');
    if (i === 10) throw malformed(placeOf(cursor), { expected: 'a whole number of up to 10 bytes', found: 'more' });
    const byte = bytes[at++]!;
    const bits = byte & 0x7f;
    if (i < 4) low |= bits << (7 * i);
    else if (i === 4) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (7 * i - 32); // shifts past bit 63 fall off, as protobuf drops them
    if (byte < 0x80) break;
  }
  cursor.low = low >>> 0;
  cursor.high = high >>> 0;
  cursor.at = at;
}

/** The last varint as int64; the ends of its range come out as -2^63 and 2^63, others beyond 2^53 are rounded. */
export const asInt64 = ({ low, high }: Cursor): number =>
  high < 0x80000000 ? high * 4294967296 + low : -((~high >>> 0) * 4294967296 + (~low >>> 0) + 1);

/** Reads a float32. @throws ONNX_TRUNCATED. */
export function readFloat32(cursor: Cursor, end: number): number {
  if (end - cursor.at < 4) throw cut(cursor, end, '4 bytes');
  cursor.at += 4;
  return cursor.view.getFloat32(cursor.at - 4, true);
}

/** Reads a float64. @throws ONNX_TRUNCATED. */
export function readFloat64(cursor: Cursor, end: number): number {
  if (end - cursor.at < 8) throw cut(cursor, end, '8 bytes');
  cursor.at += 8;
  return cursor.view.getFloat64(cursor.at - 8, true);
}

/** Reads the length of a block and returns where it ends. @throws ONNX_TRUNCATED, ONNX_MALFORMED. */
export function readBlockEnd(cursor: Cursor, end: number): number {
  readVarint(cursor, end);
  const length = cursor.high * 4294967296 + cursor.low;
  const stop = blockEnd(cursor.source, cursor.at, length);
  if (stop === undefined || stop > end) throw cut(cursor, end, `${length} bytes`);
  return stop;
}

/** Reads a block as a view of the file's bytes. @throws ONNX_TRUNCATED, ONNX_MALFORMED. */
export function readBytes(cursor: Cursor, end: number): Uint8Array {
  const stop = readBlockEnd(cursor, end);
  const start = cursor.at;
  cursor.at = stop;
  const length = cursor.high * 4294967296 + cursor.low; // still the length that was read just above
  if (stop - start !== length) {
    const hole = holeAt(cursor.source, start, length);
    if (hole) return hole;
    throw malformed(placeOf(cursor, start), { expected: 'plain bytes', found: 'a block across large weights' });
  }
  return cursor.bytes.subarray(start, stop);
}

// Names that begin with a byte order mark keep it, so that what is read is what was written.
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that UTF-8 bytes stand for; undefined when they are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.length <= 48) {
    let ascii = '';
    let i = 0;
    for (; i < bytes.length && bytes[i]! < 0x80; i++) ascii += String.fromCharCode(bytes[i]!);
    if (i === bytes.length) return ascii;
  }
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Reads a text. @throws ONNX_TRUNCATED, ONNX_MALFORMED when it is not UTF-8. */
export function readText(cursor: Cursor, end: number): string {
  const start = cursor.at;
  const text = decodeText(readBytes(cursor, end));
  if (text === undefined) throw malformed(placeOf(cursor, start), { expected: 'UTF-8 text', found: 'other bytes' });
  return text;
}

/** Skips the value of a field that is not read. @throws ONNX_TRUNCATED, ONNX_MALFORMED. */
export function skipField(cursor: Cursor, layout: number, end: number): void {
  switch (layout) {
    case wire.varint:
      readVarint(cursor, end);
      return;
    case wire.block:
      cursor.at = readBlockEnd(cursor, end);
      return;
    case wire.fixed32:
      readFloat32(cursor, end);
      return;
    case wire.fixed64:
      readFloat64(cursor, end);
      return;
    default:
      throw malformed(placeOf(cursor), { expected: 'a field of a known layout', found: `layout ${layout}` });
  }
}
