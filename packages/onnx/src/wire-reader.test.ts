import { expect, test } from 'vitest';
import { varint } from '../test/protobuf.js';
import { wholeSource } from './source.js';
import { asInt64, createCursor, readVarint } from './wire-reader.js';
import { createWireWriter, int64Halves } from './wire-writer.js';

const read = (bytes: readonly number[]) => {
  const cursor = createCursor(wholeSource(Uint8Array.from(bytes)), 'test');
  readVarint(cursor, bytes.length);
  return { value: asInt64(cursor), at: cursor.at };
};

test.each([0, 1, 127, 128, 300, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -1, -300, -(2 ** 53 - 1), -(2 ** 63)])(
  'the whole number %d is read and written as protobuf does',
  (value) => {
    expect(read(varint(value))).toEqual({ value, at: varint(value).length });
    const writer = createWireWriter();
    writer.varint(...int64Halves(value));
    expect([...writer.chunks()[0]!]).toEqual(varint(value));
  },
);

test('the upper end of int64 is kept as 2^63 and written back as 2^63 - 1', () => {
  expect(read(varint(2n ** 63n - 1n)).value).toBe(2 ** 63);
  const writer = createWireWriter();
  writer.varint(...int64Halves(2 ** 63));
  expect([...writer.chunks()[0]!]).toEqual(varint(2n ** 63n - 1n));
});

test('a varint of more than 10 bytes is malformed, one that is cut off truncated', () => {
  expect(() => read(new Array(11).fill(0x80))).toThrow(expect.objectContaining({ code: 'ONNX_MALFORMED' }));
  expect(() => read([0x80, 0x80])).toThrow(expect.objectContaining({ code: 'ONNX_TRUNCATED' }));
});

test('chunks follow each other in file order, large blocks by reference', () => {
  const large = new Uint8Array(5000).fill(7);
  const writer = createWireWriter();
  writer.text('end');
  writer.bytes(large);
  writer.text('größe');
  writer.text('x'.repeat(100_000));
  const chunks = writer.chunks();
  expect(chunks).toContain(large);
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  expect(text).toBe(`${'x'.repeat(100_000)}größe${'\u0007'.repeat(5000)}end`);
  expect(writer.length).toBe(100_000 + 7 + 5000 + 3);
});
