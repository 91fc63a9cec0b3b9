import { describe, expect, it } from 'vitest';
import { readIdx } from './idx-format.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('readIdx', () => {
  it('reads bytes with their dimensions', () => {
    const labels = readIdx(bytes(0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9), 'x');
    expect(labels).toEqual({ dtype: 'uint8', shape: [3], data: bytes(7, 8, 9) });
  });

  it('turns wider elements from big-endian', () => {
    expect(readIdx(bytes(0, 0, 0x0b, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe), 'x').data).toEqual(Int16Array.of(258, -2));
    expect(readIdx(bytes(0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0), 'x').data).toEqual(Float32Array.of(1));
  });

  it.each([
    ['an empty file', bytes(), 0],
    ['another format', bytes(0x1f, 0x8b, 8, 1), 0],
    ['an unknown element type', bytes(0, 0, 0x0a, 1, 0, 0, 0, 0), 0],
    ['dimensions cut short', bytes(0, 0, 8, 2, 0, 0, 0, 1), 8],
    ['elements cut short', bytes(0, 0, 8, 1, 0, 0, 0, 3, 7), 9],
    ['elements left over', bytes(0, 0, 8, 1, 0, 0, 0, 1, 7, 7), 9],
    ['dimensions of a bomb', bytes(0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255), 16],
  ])('refuses %s and says where', (_, content, offset) => {
    expect(() => readIdx(content, 'file.idx')).toThrow(
      expect.objectContaining({
        code: 'DATA_FORMAT',
        message: expect.stringContaining(`file.idx, byte ${offset}:`),
        details: expect.objectContaining({ offset }),
      }),
    );
  });
});
