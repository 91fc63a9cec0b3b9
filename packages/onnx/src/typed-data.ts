import type { ScalarKind, ScalarTypes } from './schema.js';
import { asInt64, type Cursor, readFloat32, readFloat64, readVarint, wire } from './wire-reader.js';

const bigint64 = ({ low, high }: Cursor) => (BigInt(high) << 32n) | BigInt(low);

/** The kinds of fields that are read into one typed array: its constructor, layout, and how one element is read. */
const kinds = {
  float32s: {
    array: Float32Array,
    layout: wire.fixed32,
    width: 4,
    fill: (into: Float32Array, at: number, cursor: Cursor, end: number) => {
      into[at] = readFloat32(cursor, end);
    },
  },
  float64s: {
    array: Float64Array,
    layout: wire.fixed64,
    width: 8,
    fill: (into: Float64Array, at: number, cursor: Cursor, end: number) => {
      into[at] = readFloat64(cursor, end);
    },
  },
  int32s: {
    array: Int32Array,
    layout: wire.varint,
    width: 0,
    fill: (into: Int32Array, at: number, cursor: Cursor, end: number) => {
      readVarint(cursor, end);
      into[at] = cursor.low;
    },
  },
  int64s: {
    array: BigInt64Array,
    layout: wire.varint,
    width: 0,
    fill: (into: BigInt64Array, at: number, cursor: Cursor, end: number) => {
      readVarint(cursor, end);
      // A safe number converts faster than two halves are joined.
      const value = asInt64(cursor);
      into[at] = Number.isSafeInteger(value) ? BigInt(value) : bigint64(cursor);
    },
  },
  uint64s: {
    array: BigUint64Array,
    layout: wire.varint,
    width: 0,
    fill: (into: BigUint64Array, at: number, cursor: Cursor, end: number) => {
      readVarint(cursor, end);
      into[at] = bigint64(cursor);
    },
  },
} as const;

/** A kind of field that is read into one typed array. */
export type TypedKind = keyof typeof kinds;
type Typed = ScalarTypes[TypedKind];

/** Whether a kind of field is read into one typed array. */
export const isTypedKind = (kind: ScalarKind | undefined): kind is TypedKind => kind !== undefined && kind in kinds;

/** The layout of one element outside a packed block. */
export const typedLayout = (kind: TypedKind): number => kinds[kind].layout;

/** A typed array under construction, with room to spare. */
export interface Growing {
  readonly array: Typed;
  readonly length: number;
}

/** The finished array. */
export const grown = ({ array, length }: Growing): Typed =>
  array.length === length ? array : array.subarray(0, length);

/**
 * Adds what stands at the cursor: one element, or a packed block up to `end`. Memory grows with the elements that
 * are really there, at most 8 bytes for each byte of the file.
 */
export function appendTo(
  cursor: Cursor,
  { kind, into, end, packed }: { kind: TypedKind; into: Growing | undefined; end: number; packed: boolean },
): Growing {
  const { fill } = kinds[kind];
  const before = into?.length ?? 0;
  const count = packed ? elementsIn(cursor, kinds[kind].width, end) : 1;
  const array = roomFor(kind, into, before + count);
  const write = fill as (into: Typed, at: number, cursor: Cursor, end: number) => void; // array and fill are of one row
  let length = before;
  if (packed) while (cursor.at < end) write(array, length++, cursor, end);
  else write(array, length++, cursor, end);
  return { array, length };
}

function roomFor(kind: TypedKind, into: Growing | undefined, length: number): Typed {
  if (into && into.array.length >= length) return into.array;
  // The first block of a field takes what it needs, later ones double, so that single elements cost no more.
  const room = into ? Math.max(length, into.array.length * 2, 16) : length;
  const larger = new kinds[kind].array(room);
  if (into) larger.set(into.array as never); // both arrays are of this kind
  return larger;
}

// Elements of fixed width divide the block; a varint ends at each byte below 128.
function elementsIn({ bytes, at }: Cursor, width: number, end: number): number {
  if (width > 0) return Math.ceil((end - at) / width);
  let count = 0;
  for (let i = at; i < end; i++) if (bytes[i]! < 0x80) count++;
  return count + 1;
}
