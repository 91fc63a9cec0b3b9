import jpegModule, { type MozJPEGModule } from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import { decode as decodePng, init as initPng } from '@jsquash/png/decode.js';
import { readWasm } from '#platform';
import { badImage } from './errors.js';
import { imageHeader } from './image-header.js';

/** Pixels of a decoded image, rows of interleaved channels. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/**
 * Decodes a PNG or JPEG file to 8-bit grey or RGB. JPEG goes through libjpeg's own accurate integer transform with
 * smooth chroma upsampling (mozjpeg compiled to WebAssembly), as Pillow and OpenCV do. Transparency is dropped,
 * EXIF rotation is not applied, 16-bit samples are cut to 8.
 * @throws DATA_IMAGE for anything that does not decode completely, DATA_LIMIT for images beyond 64 Mi pixels.
 */
export async function decodeImage(bytes: Uint8Array, where: string): Promise<Pixels> {
  const header = imageHeader(bytes, where);
  if (!header) throw badImage(where, 'a file that ends within its header');
  const image = await (header.format === 'png' ? pngPixels : jpegPixels)(bytes, where);
  if (image.width !== header.width || image.height !== header.height) {
    throw badImage(where, `${image.width}x${image.height} pixels behind a header of ${header.width}x${header.height}`);
  }
  return { ...header, data: withoutAlpha(image.data, header.channels) };
}

// A copy, because the codecs take whole buffers and the bytes are usually a view into an archive.
const ownBuffer = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer; // slice makes a plain one

interface JpegCodec {
  readonly module: MozJPEGModule;
  /** Messages of libjpeg about the current image. */
  readonly messages: string[];
}

let jpegCodec: Promise<JpegCodec> | undefined;

async function openJpeg(): Promise<JpegCodec> {
  const compiled = await readWasm('jpeg');
  const messages: string[] = [];
  const options = {
    noInitialRun: true,
    printErr: (text: string) => void messages.push(text),
    ...(compiled ? { instantiateWasm: instantiate(compiled) } : {}),
  };
  return { module: await jpegModule(options), messages };
}

const instantiate =
  (compiled: WebAssembly.Module) => (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
    const instance = new WebAssembly.Instance(compiled, imports);
    done(instance);
    return instance.exports;
  };

async function jpegPixels(bytes: Uint8Array, where: string): Promise<ImageData> {
  jpegCodec ??= openJpeg();
  const { module, messages } = await jpegCodec;
  messages.length = 0;
  let image: ImageData | null;
  try {
    image = module.decode(ownBuffer(bytes), false);
  } catch (cause) {
    jpegCodec = undefined; // libjpeg leaves through exit(): that instance is not to be used again
    throw badImage(where, messages[0] ?? 'data that libjpeg gives up on', cause);
  }
  // libjpeg makes up pixels where data is missing or damaged and only warns. Bytes too many do no harm: cameras write them.
  const cut = messages.find((text) => /premature end|corrupt/i.test(text) && !/extraneous bytes/i.test(text));
  if (!image || cut) throw badImage(where, cut ?? 'data that libjpeg gives up on');
  return image;
}

let pngReady: Promise<unknown> | undefined;

async function pngPixels(bytes: Uint8Array, where: string): Promise<ImageData> {
  pngReady ??= readWasm('png').then((compiled) => initPng(compiled));
  await pngReady;
  try {
    return await decodePng(ownBuffer(bytes));
  } catch (cause) {
    throw badImage(where, 'data that the PNG decoder gives up on', cause);
  }
}

function withoutAlpha(rgba: Uint8ClampedArray, channels: 1 | 3): Uint8Array {
  const count = rgba.length / 4;
  const out = new Uint8Array(count * channels);
  if (channels === 1) {
    for (let p = 0; p < count; p++) out[p] = rgba[4 * p]!;
    return out;
  }
  for (let p = 0; p < count; p++) {
    out[3 * p] = rgba[4 * p]!;
    out[3 * p + 1] = rgba[4 * p + 1]!;
    out[3 * p + 2] = rgba[4 * p + 2]!;
  }
  return out;
}
