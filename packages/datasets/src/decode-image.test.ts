import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import encodeJpeg, { init as initJpeg } from '@jsquash/jpeg/encode.js';
import encodePng, { init as initPng } from '@jsquash/png/encode.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from './decode-image.js';

const wasm = async (path: string) => WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(path)));

/** An RGBA image from a function of column and row. */
function picture(width: number, height: number, colour: (x: number, y: number) => readonly [number, number, number]) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let p = 0; p < width * height; p++) data.set([...colour(p % width, Math.floor(p / width)), 255], 4 * p);
  return { data, width, height, colorSpace: 'srgb' } as ImageData;
}

const halves = picture(32, 16, (x) => (x < 16 ? [200, 60, 60] : [60, 60, 200]));
let png: Uint8Array;
let jpeg: Uint8Array;

beforeAll(async () => {
  await initPng(await wasm('@jsquash/png/codec/pkg/squoosh_png_bg.wasm'));
  // The typings leave out the form that takes a compiled module, which the package documents for runtimes without fetch.
  const start = initJpeg as (module: WebAssembly.Module) => Promise<void>;
  await start(await wasm('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'));
  png = new Uint8Array(await encodePng(halves));
  jpeg = new Uint8Array(await encodeJpeg(halves, { quality: 100, chroma_subsample: 2, auto_subsample: false }));
});

describe('decodeImage', () => {
  it('decodes PNG without loss', async () => {
    const image = await decodeImage(png, 'x.png');
    expect(image).toMatchObject({ width: 32, height: 16, channels: 3, format: 'png' });
    expect([...image.data.subarray(0, 3), ...image.data.subarray(-3)]).toEqual([200, 60, 60, 60, 60, 200]);
  });

  it('decodes JPEG with smooth chroma, as the libraries do that accuracies were measured with', async () => {
    const { data } = await decodeImage(jpeg, 'x.jpg');
    const red = Array.from({ length: 32 }, (_, x) => data[3 * x]!);
    // Chroma is stored for pairs of pixels. Plain repetition would keep column 15 red; the triangle filter of libjpeg
    // mixes 3/4 of the nearer and 1/4 of the farther sample into the columns beside the edge.
    expect(Math.abs(red[8]! - 200)).toBeLessThanOrEqual(2);
    expect(Math.abs(red[24]! - 60)).toBeLessThanOrEqual(2);
    const step = red[14]! - red[15]!;
    expect(step).toBeGreaterThan(20);
    expect(Math.abs(step - (red[16]! - red[17]!))).toBeLessThanOrEqual(4);
  });

  it('decodes grey JPEG to one channel', async () => {
    const grey = new Uint8Array(
      await encodeJpeg(
        picture(8, 8, () => [77, 77, 77]),
        { quality: 100, color_space: 1 },
      ),
    );
    const image = await decodeImage(grey, 'grey.jpg');
    expect(image.channels).toBe(1);
    expect(image.data).toEqual(new Uint8Array(64).fill(77));
  });

  it('passes over bytes between the parts of a JPEG, which some cameras leave there', async () => {
    const end = jpeg.length - 2;
    const padded = Uint8Array.from([...jpeg.subarray(0, end), 1, 2, 3, ...jpeg.subarray(end)]);
    expect((await decodeImage(padded, 'x.jpg')).data).toEqual((await decodeImage(jpeg, 'x.jpg')).data);
  });

  it.each([
    ['a JPEG cut short', () => jpeg.subarray(0, jpeg.length - 60)],
    ['a JPEG cut in its header', () => jpeg.subarray(0, 30)],
    ['a PNG cut short', () => png.subarray(0, png.length - 40)],
    ['a PNG with damaged data', () => png.map((byte, i) => (i > 45 && i < 60 ? byte ^ 0xff : byte))],
    ['another format', () => new TextEncoder().encode('GIF89a')],
  ])('refuses %s, and goes on working afterwards', async (_, bytes) => {
    await expect(decodeImage(bytes(), 'bad.img')).rejects.toMatchObject({
      code: 'DATA_IMAGE',
      message: expect.stringContaining('bad.img'),
    });
    expect((await decodeImage(jpeg, 'x.jpg')).width).toBe(32);
    expect((await decodeImage(png, 'x.png')).width).toBe(32);
  });
});
