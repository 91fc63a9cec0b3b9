import { badImage, tooLarge } from './errors.js';

/** The facts in an image file that are readable before decoding. */
export interface ImageHeader {
  readonly format: 'png' | 'jpeg';
  readonly width: number;
  readonly height: number;
  /** 1 for grey images, 3 for all others; transparency does not count. */
  readonly channels: 1 | 3;
}

/** Pixels beyond which an image is refused: 64 Mi, or 256 MiB once decoded. */
export const pixelLimit = 2 ** 26;

/**
 * Reads format and size from the first bytes of a PNG or JPEG file, so that its memory is bounded before it is
 * decoded. Undefined when `bytes` ends before they are known.
 * @throws DATA_IMAGE for other formats, DATA_LIMIT beyond `pixelLimit` pixels.
 */
export function imageHeader(bytes: Uint8Array, where: string): ImageHeader | undefined {
  const header = isPng(bytes)
    ? pngHeader(bytes, where)
    : isJpeg(bytes)
      ? jpegHeader(bytes, where)
      : other(bytes, where);
  if (!header) return undefined;
  if (header.width === 0 || header.height === 0) throw badImage(where, `a size of ${header.width}x${header.height}`);
  if (header.width * header.height > pixelLimit) {
    throw tooLarge(where, {
      expected: `an image of at most ${pixelLimit} pixels`,
      found: `${header.width}x${header.height}`,
      fix: 'Scale it down first.',
    });
  }
  return header;
}

const pngMagic = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const isPng = (bytes: Uint8Array) => pngMagic.every((byte, i) => bytes[i] === byte);
const isJpeg = (bytes: Uint8Array) => bytes[0] === 0xff && bytes[1] === 0xd8;

function other(bytes: Uint8Array, where: string): never {
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw badImage(where, bytes.length ? `a file that begins with ${start}` : 'an empty file');
}

// The header chunk IHDR comes first (PNG specification, 11.2.2); colour types 0 and 4 are grey.
function pngHeader(bytes: Uint8Array, where: string): ImageHeader | undefined {
  if (bytes.length < 26) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(12) !== 0x49484452) throw badImage(where, 'a PNG without its header');
  const colour = bytes[25]!;
  return {
    format: 'png',
    width: view.getUint32(16),
    height: view.getUint32(20),
    channels: colour === 0 || colour === 4 ? 1 : 3,
  };
}

// Segments until the frame header SOFn (ITU-T T.81, B.2.2), which is any of C0..CF but DHT, JPG and DAC.
function jpegHeader(bytes: Uint8Array, where: string): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw badImage(where, `no JPEG marker at byte ${at}`);
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at += 1; // fill bytes may stand before a marker
      continue;
    }
    if (marker === 0xda || marker === 0xd9) throw badImage(where, 'a JPEG without a frame header');
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      if (at + 10 > bytes.length) return undefined;
      const channels = bytes[at + 9] === 1 ? 1 : 3;
      return { format: 'jpeg', height: view.getUint16(at + 5), width: view.getUint16(at + 7), channels };
    }
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
