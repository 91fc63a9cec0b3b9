import { type Draft, type Field, fieldsOf, type MessageName, perMessage, type ScalarTypes } from './schema.js';
import { wire } from './wire-reader.js';
import { int64Halves, type WireWriter } from './wire-writer.js';

/** The kinds of fields that are written. Tensor data always goes out as raw data, so the typed ones are not. */
type Written = 'int' | 'float' | 'text' | 'bytes';

const scalars: {
  readonly [K in Written]: { readonly layout: number; write(writer: WireWriter, value: ScalarTypes[K]): void };
} = {
  int: { layout: wire.varint, write: (writer, value) => writer.varint(...int64Halves(value)) },
  float: { layout: wire.fixed32, write: (writer, value) => writer.float32(value) },
  text: { layout: wire.block, write: (writer, value) => measured(writer, () => writer.text(value)) },
  bytes: { layout: wire.block, write: (writer, value) => measured(writer, () => writer.bytes(value)) },
};

// Content first, then its length before it.
function measured(writer: WireWriter, write: () => void): void {
  const end = writer.length;
  write();
  writeLength(writer, writer.length - end);
}

const writeLength = (writer: WireWriter, length: number) =>
  writer.varint(length % 4294967296, Math.floor(length / 4294967296));

const tables = /* @__PURE__ */ perMessage((message) => fieldsOf(message).toReversed());

/**
 * Writes a message before what the writer holds, by the schema: fields by rising number, repeated ones unpacked, as
 * onnx.proto declares them. The same message always gives the same bytes.
 */
export function encodeMessage<M extends MessageName>(writer: WireWriter, message: M, draft: Draft<M>): void {
  const values = draft as Readonly<Record<string, unknown>>; // read by the names of the same table
  for (const field of tables[message]) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (!field.many) writeField(writer, field, value);
    else {
      const list = value as readonly unknown[]; // `many` fields hold lists
      for (let i = list.length - 1; i >= 0; i--) writeField(writer, field, list[i]);
    }
  }
}

function writeField(writer: WireWriter, { number, message, scalar }: Field, value: unknown): void {
  if (message !== undefined) {
    measured(writer, () => encodeMessage(writer, message, value as Draft<MessageName>)); // the schema gives the field this message
    writer.varint((number << 3) | wire.block, 0);
    return;
  }
  const codec = scalars[scalar as Written]; // the typed kinds are never set in a draft
  codec.write(writer, value as never); // the schema gives the field this kind
  writer.varint((number << 3) | codec.layout, 0);
}
