import { describe, expect, it } from 'vitest';
import { imageHeader } from './image-header.js';

const png = (width: number, height: number, colour = 2) => {
  const out = new Uint8Array(33);
  out.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  const view = new DataView(out.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  out[24] = 8;
  out[25] = colour;
  return out;
};
// Start, an application segment of 4 bytes, a frame header for height 2 and width 3.
const jpeg = (channels: number) =>
  Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc0, 0, 17, 8, 0, 2, 0, 3, channels);

describe('imageHeader', () => {
  it('reads PNG, where grey may have transparency', () => {
    expect(imageHeader(png(5, 7), 'x')).toEqual({ format: 'png', width: 5, height: 7, channels: 3 });
    expect(imageHeader(png(5, 7, 4), 'x')).toMatchObject({ channels: 1 });
  });

  it('reads JPEG behind other segments and fill bytes', () => {
    expect(imageHeader(jpeg(3), 'x')).toEqual({ format: 'jpeg', width: 3, height: 2, channels: 3 });
    expect(imageHeader(jpeg(1), 'x')).toMatchObject({ channels: 1 });
  });

  it('knows nothing of a beginning that is too short', () => {
    expect(imageHeader(png(5, 7).subarray(0, 20), 'x')).toBeUndefined();
    expect(imageHeader(jpeg(3).subarray(0, 12), 'x')).toBeUndefined();
  });

  it('refuses images that would fill the memory, before they are decoded', () => {
    expect(() => imageHeader(png(60000, 60000), 'bomb.png')).toThrow(
      expect.objectContaining({ code: 'DATA_LIMIT', message: expect.stringContaining('bomb.png') }),
    );
  });

  it.each([
    ['text', new TextEncoder().encode('GIF89a'), /begins with 47 49 46 38/],
    ['nothing', new Uint8Array(), /an empty file/],
    ['a size of zero', png(0, 3), /a size of 0x3/],
    ['a PNG that begins with another chunk', png(1, 1).fill(0, 12, 16), /without its header/],
    ['a JPEG that comes to its pixels too soon', Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 2), /without a frame header/],
    ['a JPEG with noise in it', Uint8Array.of(0xff, 0xd8, 0x12, 0x34, 0, 2), /no JPEG marker at byte 2/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => imageHeader(bytes, 'x')).toThrow(
      expect.objectContaining({ code: 'DATA_IMAGE', message: expect.stringMatching(message) }),
    );
  });
});
