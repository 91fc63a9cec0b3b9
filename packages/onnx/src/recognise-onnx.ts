import { fieldsOf } from './schema.js';
import { wholeSource } from './source.js';
import { createCursor, readVarint, skipField, wire } from './wire-reader.js';

const newest = 1000; // far beyond any IR version, and far below the numbers other formats begin with

const layouts: ReadonlyMap<number, number> = /* @__PURE__ */ new Map(
  fieldsOf('Model').map(({ number, scalar }) => [number, scalar === 'int' ? wire.varint : wire.block]),
);

/**
 * Whether the first bytes of a file look like a ModelProto: its own fields in their own layout as far as the bytes
 * go, an IR version among them.
 */
export function recogniseOnnx(head: Uint8Array): boolean {
  const cursor = createCursor(wholeSource(head), 'head');
  let version = 0;
  try {
    while (cursor.at < head.length) {
      readVarint(cursor, head.length);
      const layout = cursor.low & 7;
      const number = cursor.low >>> 3;
      if (cursor.high !== 0 || layouts.get(number) !== layout) return false;
      skipField(cursor, layout, head.length);
      if (number === 1) version = cursor.high === 0 ? cursor.low : newest;
      if (version >= newest) return false;
    }
  } catch {
    // The head ends inside a field: what came before decides.
  }
  return version > 0;
}
