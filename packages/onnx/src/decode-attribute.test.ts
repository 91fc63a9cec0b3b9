import { expect, test } from 'vitest';
import { block, float, nodeModel, number, varint } from '../test/protobuf.js';
import { decodeOnnx } from './decode-onnx.js';

const read = (fields: readonly number[]) =>
  decodeOnnx(nodeModel([[...block(1, 'a'), ...fields]])).nodes[0]!.attributes.get('a');

test('a type without a value means zero or an empty text, as proto3 writers leave these out', () => {
  expect(read(number(20, 2))).toEqual({ kind: 'int', value: 0 });
  expect(read(number(20, 1))).toEqual({ kind: 'float', value: 0 });
  expect(read(number(20, 3))).toEqual({ kind: 'text', value: '' });
  expect(read(number(20, 7))).toEqual({ kind: 'ints', value: [] });
});

test('without a type, as in the oldest files, the field that is set tells it', () => {
  expect(read(number(3, 5))).toEqual({ kind: 'int', value: 5 });
  expect(read(float(2, 0.5))).toEqual({ kind: 'float', value: 0.5 });
  expect(read([...number(8, 1), ...number(8, -2)])).toEqual({ kind: 'ints', value: [1, -2] });
});

test('lists are read packed and unpacked', () => {
  expect(read([...number(20, 7), ...block(8, [...varint(3), ...varint(-4)])])).toEqual({
    kind: 'ints',
    value: [3, -4],
  });
});

test('the ends of int64 come out as the ends of the number line', () => {
  expect(read([...number(20, 2), ...number(3, 2n ** 63n - 1n)])).toEqual({ kind: 'int', value: 2 ** 63 });
  expect(read([...number(20, 2), ...number(3, -(2n ** 63n))])).toEqual({ kind: 'int', value: -(2 ** 63) });
});

test('a string that is not UTF-8 stays bytes', () => {
  expect(read([...number(20, 3), ...block(4, [0xff])])).toEqual({ kind: 'bytes', value: Uint8Array.of(0xff) });
});

test('a reference names the attribute of the function around it', () => {
  expect(read([...number(20, 2), ...block(21, 'outer')])).toEqual({ kind: 'reference', value: 'outer', of: 'int' });
});

test('unknown types, missing values and names that come twice are malformed', () => {
  const malformed = (message: RegExp) =>
    expect.objectContaining({ code: 'ONNX_MALFORMED', message: expect.stringMatching(message) });
  expect(() => read(number(20, 77))).toThrow(malformed(/graph\.node\[0\]\.attribute\[0\]: expected .*type 77/));
  expect(() => read([])).toThrow(malformed(/no type and no value/));
  expect(() => read(number(20, 4))).toThrow(malformed(/expected t, found none/));
  const twice = [...block(1, 'a'), ...number(20, 2)];
  expect(() => decodeOnnx(nodeModel([twice, twice]))).toThrow(malformed(/attribute\[1\].*"a" twice/));
});
