import { beyondLimit, malformed } from './errors.js';
import { type Field, fieldsOf, type MessageName, type Proto, perMessage, type ScalarKind } from './schema.js';
import { appendTo, type Growing, grown, isTypedKind, typedLayout } from './typed-data.js';
import {
  asInt64,
  type Cursor,
  placeOf,
  readBlockEnd,
  readBytes,
  readFloat32,
  readText,
  readVarint,
  skipField,
  wire,
} from './wire-reader.js';

/** Messages within messages; protobuf's own readers stop at the same depth. */
const deepest = 100;
/** Messages in one file. Each costs a few hundred bytes of memory for as little as two in the file. */
const most = 4_194_304;

/** The layout of each kind of field, and how one value of it is read. */
const scalars = {
  int: {
    layout: wire.varint,
    read: (cursor: Cursor, end: number) => {
      readVarint(cursor, end);
      return asInt64(cursor);
    },
  },
  float: { layout: wire.fixed32, read: readFloat32 },
  text: { layout: wire.block, read: readText },
  bytes: { layout: wire.block, read: readBytes },
} satisfies Partial<Record<ScalarKind, { layout: number; read(cursor: Cursor, end: number): unknown }>>;

interface Table {
  readonly byNumber: readonly (Field | undefined)[];
  /** Empty lists for the repeated fields, shared until one is filled. */
  readonly lists: Readonly<Record<string, readonly unknown[]>>;
  readonly typed: readonly string[];
}

const none: readonly unknown[] = Object.freeze([]);

const tables = /* @__PURE__ */ perMessage((message): Table => {
  const fields = fieldsOf(message);
  const byNumber: (Field | undefined)[] = new Array((fields.at(-1)?.number ?? 0) + 1).fill(undefined);
  for (const field of fields) byNumber[field.number] = field;
  return {
    byNumber,
    lists: Object.fromEntries(fields.filter((field) => field.many).map((field) => [field.name, none])),
    typed: fields.filter((field) => isTypedKind(field.scalar)).map((field) => field.name),
  };
});

/**
 * Reads a message up to the byte `end`, by the schema; unknown fields are skipped. A field that does not repeat
 * keeps its last value, as protobuf says.
 * @throws ONNX_TRUNCATED, ONNX_MALFORMED, ONNX_LIMIT (too deep, or too many messages).
 */
export function decodeMessage<M extends MessageName>(cursor: Cursor, message: M, end: number): Proto<M> {
  if (cursor.path.length / 2 > deepest) {
    throw beyondLimit(placeOf(cursor), { expected: `messages at most ${deepest} deep`, found: 'deeper nesting' });
  }
  if (++cursor.messages > most) {
    throw beyondLimit(placeOf(cursor), { expected: `at most ${most} messages in a file`, found: 'more' });
  }
  const { byNumber, lists, typed } = tables[message];
  const out: Record<string, unknown> = { at: placeByte(cursor), ...lists };
  while (cursor.at < end) {
    const start = cursor.at;
    readVarint(cursor, end);
    const number = cursor.low >>> 3;
    const layout = cursor.low & 7;
    if (number === 0 || cursor.high !== 0) {
      throw malformed(placeOf(cursor, start), { expected: 'a field number', found: `${number}` });
    }
    const field = byNumber[number];
    if (field) readField(cursor, { out, field, layout, end });
    else skipField(cursor, layout, end);
  }
  for (const name of typed) if (out[name] !== undefined) out[name] = grown(out[name] as Growing); // made by readTyped
  return out as Proto<M>; // filled by the table that the type is made from
}

const placeByte = (cursor: Cursor) => (cursor.source.holes.length === 0 ? cursor.at : placeOf(cursor).byte);

interface Slot {
  readonly out: Record<string, unknown>;
  readonly field: Field;
  readonly layout: number;
  readonly end: number;
}

function readField(cursor: Cursor, { out, field, layout, end }: Slot): void {
  const { name, many, message, scalar } = field;
  const list = out[name] as unknown[]; // only used where `many` made it one
  cursor.path.push(name, many && !isTypedKind(scalar) ? list.length : -1);
  if (message !== undefined) {
    if (layout !== wire.block) throw wrongLayout(cursor, layout);
    const value = decodeMessage(cursor, message, readBlockEnd(cursor, end));
    put(out, field, value);
  } else if (isTypedKind(scalar)) {
    out[name] = readTyped(cursor, { scalar, before: out[name] as Growing | undefined, layout, end }); // made by readTyped
  } else {
    const codec = scalars[scalar as keyof typeof scalars]; // the typed kinds were handled just above
    if (layout === codec.layout) put(out, field, codec.read(cursor, end));
    else if (many && layout === wire.block) {
      const stop = readBlockEnd(cursor, end);
      while (cursor.at < stop) put(out, field, codec.read(cursor, stop));
    } else throw wrongLayout(cursor, layout);
  }
  cursor.path.length -= 2;
}

function put(out: Record<string, unknown>, { name, many }: Field, value: unknown): void {
  if (!many) out[name] = value;
  else if (out[name] === none) out[name] = [value];
  else (out[name] as unknown[]).push(value); // a list of this call, made in the line above
}

interface TypedSlot {
  readonly scalar: Parameters<typeof typedLayout>[0];
  readonly before: Growing | undefined;
  readonly layout: number;
  readonly end: number;
}

function readTyped(cursor: Cursor, { scalar, before, layout, end }: TypedSlot): Growing {
  const single = typedLayout(scalar);
  if (layout === single) return appendTo(cursor, { kind: scalar, into: before, end, packed: false });
  if (layout !== wire.block) throw wrongLayout(cursor, layout);
  const stop = readBlockEnd(cursor, end);
  return appendTo(cursor, { kind: scalar, into: before, end: stop, packed: true });
}

const wrongLayout = (cursor: Cursor, layout: number) =>
  malformed(placeOf(cursor), { expected: 'the layout of this field', found: `layout ${layout}` });
