import { describe, expect, test } from 'vitest';
import { block, constantModel, float, float32, float64, number, varint } from '../test/protobuf.js';
import { decodeOnnx } from './decode-onnx.js';

const read = (fields: readonly number[]) => decodeOnnx(constantModel(fields)).constants.get('w')!;
const failing = (fields: readonly number[]) => () => read(fields);
const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

// Field numbers: float_data 4, int32_data 5, string_data 6, int64_data 7, double_data 10, uint64_data 11.
const packed = (field: number, values: readonly (number | bigint)[]) => block(field, values.flatMap(varint));

describe('typed data fields', () => {
  test.each([
    ['float32', 1, block(4, [...float32(1.5), ...float32(-2)]), new Float32Array([1.5, -2])],
    ['uint8', 2, packed(5, [0, 255]), new Uint8Array([0, 255])],
    ['int8', 3, packed(5, [-128, 127]), new Int8Array([-128, 127])],
    ['uint16', 4, packed(5, [1, 65535]), new Uint16Array([1, 65535])],
    ['int16', 5, packed(5, [-32768, 5]), new Int16Array([-32768, 5])],
    ['int32', 6, packed(5, [-(2 ** 31), 7]), new Int32Array([-(2 ** 31), 7])],
    ['int64', 7, packed(7, [-(2n ** 63n), 2n ** 63n - 1n]), new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n])],
    ['bool', 9, packed(5, [1, 0]), new Uint8Array([1, 0])],
    ['float16', 10, packed(5, [0x3c00, 0xbc00]), new Uint16Array([0x3c00, 0xbc00])],
    ['float64', 11, block(10, [...float64(0.1), ...float64(-3)]), new Float64Array([0.1, -3])],
    ['uint32', 12, packed(11, [1, 2 ** 32 - 1]), new Uint32Array([1, 2 ** 32 - 1])],
    ['uint64', 13, packed(11, [1, 2n ** 64n - 1n]), new BigUint64Array([1n, 2n ** 64n - 1n])],
    ['bfloat16', 16, packed(5, [0x3f80, 0]), new Uint16Array([0x3f80, 0])],
    ['float8e4m3fn', 17, packed(5, [0x38, 0x7f]), new Uint8Array([0x38, 0x7f])],
  ] as const)('%s', (dtype, code, data, expected) => {
    expect(read([...number(1, 2), ...number(2, code), ...data])).toEqual({ dtype, shape: [2], data: expected });
  });

  test('strings', () => {
    const tensor = read([...number(1, 2), ...number(2, 8), ...block(6, 'größe'), ...block(6, '')]);
    expect(tensor).toEqual({ dtype: 'string', shape: [2], data: ['größe', ''] });
  });

  test('complex numbers take two entries each', () => {
    const tensor = read([...number(1, 1), ...number(2, 14), ...block(4, [...float32(1), ...float32(2)])]);
    expect(tensor).toEqual({ dtype: 'complex64', shape: [1], data: new Float32Array([1, 2]) });
  });

  test('packed types take one byte in each entry', () => {
    const tensor = read([...number(1, 3), ...number(2, 22), ...packed(5, [0xe1, 0x03])]);
    expect(tensor).toEqual({ dtype: 'int4', shape: [3], data: new Uint8Array([0xe1, 0x03]) });
  });

  test('unpacked entries, and several packed blocks, are one list', () => {
    const data = [...float(4, 1), ...float(4, 2), ...block(4, [...float32(3), ...float32(4)]), ...float(4, 5)];
    expect(read([...number(1, 5), ...number(2, 1), ...data]).data).toEqual(new Float32Array([1, 2, 3, 4, 5]));
    const longs = Array.from({ length: 50 }, (_, i) => number(7, i)).flat();
    expect(read([...number(1, 50), ...number(2, 7), ...longs]).data).toEqual(
      BigInt64Array.from({ length: 50 }, (_, i) => BigInt(i)),
    );
  });
});

describe('raw data', () => {
  const raw = (code: number, dims: readonly number[], bytes: ArrayLike<number>) => [
    ...dims.flatMap((dim) => number(1, dim)),
    ...number(2, code),
    ...block(9, bytes),
  ];

  test('is a view of the file where it is aligned, and a copy elsewhere', () => {
    for (let pad = 0; pad < 4; pad++) {
      const bytes = constantModel([...raw(1, [1], float32(2.5)), ...block(12, 'x'.repeat(pad))]);
      const shifted = constantModel([...block(12, 'x'.repeat(pad)), ...raw(1, [1], float32(2.5))]);
      for (const file of [bytes, shifted]) {
        const { data } = decodeOnnx(file).constants.get('w')!;
        expect(data).toEqual(new Float32Array([2.5]));
      }
    }
    const shared = [0, 1, 2, 3].map((pad) => {
      const file = constantModel([...block(12, 'x'.repeat(pad)), ...raw(1, [1], float32(2.5))]);
      return (decodeOnnx(file).constants.get('w')!.data as Float32Array).buffer === file.buffer;
    });
    expect(shared.filter(Boolean)).toHaveLength(1);
  });

  test('of a wrong length is malformed, with the byte and the way to it', () => {
    const message = /^model, byte \d+, graph\.initializer\[0\]: expected 8 bytes for float32\[2\], found 4/;
    expect(failing(raw(1, [2], float32(1)))).toThrow(error('ONNX_MALFORMED', message));
  });
});

test('dims that are negative, or whose product is beyond memory, are malformed', () => {
  const dims = (...sizes: (number | bigint)[]) => [
    ...sizes.flatMap((dim) => number(1, dim)),
    ...number(2, 1),
    ...block(9, ''),
  ];
  expect(failing(dims(-1))).toThrow(error('ONNX_MALFORMED', /dims of zero or more/));
  expect(failing(dims(2 ** 40, 2 ** 40))).toThrow(error('ONNX_MALFORMED', /dims/));
  expect(read(dims(0, 2 ** 40)).shape).toEqual([0, 2 ** 40]);
});

test('huge dims without data take no memory', () => {
  expect(failing([...number(1, 2 ** 33), ...number(2, 1)])).toThrow(
    error('ONNX_MALFORMED', /expected 8589934592 entries of float_data, found 0/),
  );
});

test('segments are refused, unknown types malformed', () => {
  expect(failing([...number(2, 1), ...block(3, number(1, 0))])).toThrow(error('ONNX_UNSUPPORTED', /segment/));
  expect(failing(number(2, 99))).toThrow(error('ONNX_MALFORMED', /known data_type, found 99/));
  expect(failing([])).toThrow(error('ONNX_MALFORMED', /found none/));
});

test('external data needs the files', () => {
  const external = [
    ...number(1, 1),
    ...number(2, 1),
    ...number(14, 1),
    ...block(13, [...block(1, 'location'), ...block(2, 'w.bin')]),
  ];
  expect(failing(external)).toThrow(error('ONNX_UNSUPPORTED', /external data in "w.bin".*readOnnx/));
});
