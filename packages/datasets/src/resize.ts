import { roundHalfEven } from '@espalier/core';

/** An image as rows of interleaved channels. */
export interface Raster<T extends Uint8Array | Float32Array = Uint8Array | Float32Array> {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: T;
}

const precision = 22; // fractional bits of Pillow's 8-bit weights: 32 - 8 - 2

/**
 * Bilinear interpolation, widened when shrinking so that every source pixel counts (antialiasing): the triangle
 * w(d) = max(0, 1 - |d| / s), s = max(1, source/target), around each target pixel's centre (x + 0.5) source/target
 * - 0.5, normalised to sum 1; rows first, then columns. For bytes the weights and the rounding between the two
 * steps are those of Pillow's `Image.resize(..., BILINEAR)` (Resample.c), so that results equal torchvision's on
 * images; floats are not rounded.
 */
export function resize<T extends Uint8Array | Float32Array>(
  source: Raster<T>,
  target: { readonly width: number; readonly height: number },
): Raster<T> {
  const across = source.width === target.width ? source : resizeRows(source, target.width);
  return across.height === target.height ? across : resizeColumns(across, target.height);
}

/** The weights of the source pixels behind each target pixel: `size[i]` of them, from `first[i]`, in a row of `most`. */
interface Weights {
  readonly first: Int32Array;
  readonly size: Int32Array;
  readonly most: number;
  readonly weight: Float64Array;
}

const triangle = (d: number): number => Math.max(0, 1 - Math.abs(d));

function weightsOf(from: number, to: number): Weights {
  const scale = from / to;
  const support = Math.max(1, scale);
  const narrow = 1 / support;
  const most = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const size = new Int32Array(to);
  const weight = new Float64Array(to * most);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let j = begin; j < end; j++) sum += triangle((j - centre + 0.5) * narrow);
    for (let j = begin; j < end; j++) weight[i * most + j - begin] = triangle((j - centre + 0.5) * narrow) / sum;
    first[i] = begin;
    size[i] = end - begin;
  }
  return { first, size, most, weight };
}

// Weights become fixed-point numbers for bytes, and stay as they are for floats.
function prepared(from: number, to: number, bytes: boolean): Weights {
  const weights = weightsOf(from, to);
  return bytes ? { ...weights, weight: weights.weight.map((w) => Math.floor(0.5 + w * 2 ** precision)) } : weights;
}

const emptyLike = <T extends Uint8Array | Float32Array>(data: T, length: number): T =>
  (data instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length)) as T; // the class of `data`

// Weights are positive and sum to 2^22 within a rounding, so a sum stays below 2^31.
const byteOf = (sum: number): number => Math.min(255, (sum + 2 ** (precision - 1)) >> precision);

function resizeRows<T extends Uint8Array | Float32Array>(source: Raster<T>, width: number): Raster<T> {
  const { channels, height, data } = source;
  const bytes = data instanceof Uint8Array;
  const { first, size, most, weight } = prepared(source.width, width, bytes);
  const out = emptyLike(data, height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * source.width + first[x]!) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < size[x]!; k++) sum += weight[x * most + k]! * data[from + k * channels + c]!;
        out[(y * width + x) * channels + c] = bytes ? byteOf(sum) : sum;
      }
    }
  }
  return { ...source, width, data: out };
}

function resizeColumns<T extends Uint8Array | Float32Array>(source: Raster<T>, height: number): Raster<T> {
  const { channels, width, data } = source;
  const bytes = data instanceof Uint8Array;
  const { first, size, most, weight } = prepared(source.height, height, bytes);
  const row = width * channels;
  const out = emptyLike(data, height * row);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < row; i++) {
      let sum = 0;
      for (let k = 0; k < size[y]!; k++) sum += weight[y * most + k]! * data[(first[y]! + k) * row + i]!;
      out[y * row + i] = bytes ? byteOf(sum) : sum;
    }
  }
  return { ...source, height, data: out };
}

/** The middle of an image; edges are split as torchvision's CenterCrop does, halves rounded to even. */
export function cropCentre<T extends Uint8Array | Float32Array>(
  source: Raster<T>,
  target: { readonly width: number; readonly height: number },
): Raster<T> {
  const { channels } = source;
  // As Python rounds: half of 1 is 0, of 3 is 2.
  const left = roundHalfEven((source.width - target.width) / 2);
  const top = roundHalfEven((source.height - target.height) / 2);
  const row = target.width * channels;
  const out = emptyLike(source.data, target.height * row);
  for (let y = 0; y < target.height; y++) {
    const from = ((top + y) * source.width + left) * channels;
    out.set(source.data.subarray(from, from + row), y * row);
  }
  return { ...source, ...target, data: out };
}
