import {
  bitsOf,
  type Dataset,
  type DType,
  fromNumbers,
  isFloat,
  isInteger,
  roundHalfEven,
  type Tensor,
  tensor,
  toFloats,
  type ValueInfo,
} from '@espalier/core';
import { badRequest, badShape, nothingFound } from './errors.js';
import { cropCentre, type Raster, resize } from './resize.js';
import { joinRows } from './tensor-set.js';

/** Where the channels stand: before rows and columns, or after them. */
export type Layout = 'nchw' | 'nhwc';

/** Height and width in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** How stored images become what a model wants. The steps run in the order of this list. */
export interface PreprocessOptions {
  /** The field to change; `image` unless said otherwise. Other fields pass unchanged. */
  readonly field?: string;
  /** The name of the field afterwards. */
  readonly as?: string;
  /** The layout of the stored samples; `nhwc` unless said otherwise. */
  readonly from?: Layout;
  /** Colour to grey by ITU-R 601 luma (as Pillow), or grey repeated three times. */
  readonly channels?: number;
  /** Bilinear, antialiased when shrinking. A number sets the shorter side and keeps the proportions. */
  readonly resize?: number | ImageSize;
  /** The middle of this size, after resizing. */
  readonly crop?: number | ImageSize;
  /** Factor of every value; 1/255 for bytes that become floats, else 1. */
  readonly scale?: number;
  /** Subtracted after scaling: one number for each channel, or one for all. */
  readonly mean?: readonly number[];
  /** Divides after that: one number for each channel, or one for all. */
  readonly std?: readonly number[];
  /** The layout of the result; `nchw` unless said otherwise. */
  readonly layout?: Layout;
  /** The dtype of the result; float32 unless said otherwise. */
  readonly dtype?: DType;
  /** The shape of one sample of the result where it is neither [C,H,W] nor [H,W,C]: the same elements, flat or without channels. */
  readonly shape?: readonly number[];
}

/** The plan for one field, with every option decided. */
interface Plan extends Required<Pick<PreprocessOptions, 'field' | 'as' | 'from' | 'layout' | 'dtype' | 'scale'>> {
  readonly source: { readonly dtype: DType; readonly channels: number; readonly size: ImageSize | undefined };
  readonly channels: number;
  readonly resize: number | ImageSize | undefined;
  readonly crop: ImageSize | undefined;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly shape: readonly number[] | undefined;
}

/**
 * The data set with one field of images converted: y = (scale x - mean) / std per channel, in the wanted size,
 * layout and dtype. Work happens when samples are read. Images of different sizes are welcome when `resize` and
 * `crop` make them equal.
 * @throws DATA_EMPTY without the field, DATA_SHAPE when it holds no images, DATA_SPEC for options that contradict.
 */
export function preprocess(dataset: Dataset, options: PreprocessOptions = {}): Dataset {
  const plan = planOf(dataset, options);
  const info: ValueInfo = { dtype: plan.dtype, shape: plan.shape ?? shapeOf(plan, outputSize(plan, plan.source.size)) };
  const fields = new Map(
    [...dataset.fields].map(([name, value]) => (name === plan.field ? [plan.as, info] : [name, value])),
  );
  return {
    ...dataset,
    fields,
    async read(indices) {
      // Samples of unlike sizes cannot be stacked before they are resized, so they are read one by one.
      const groups = plan.source.size ? [indices] : indices.map((index) => [index]);
      const parts = await Promise.all(groups.map((group) => dataset.read(group)));
      const images = parts.flatMap((part) => rasters(part.get(plan.field)!, plan));
      const out = new Map<string, Tensor>();
      for (const name of dataset.fields.keys()) {
        if (name === plan.field) out.set(plan.as, finish(images, plan));
        else out.set(name, joinRows(parts.map((part) => part.get(name)!)));
      }
      return out;
    },
  };
}

function planOf(dataset: Dataset, options: PreprocessOptions): Plan {
  const field = options.field ?? 'image';
  const info = dataset.fields.get(field);
  if (!info) {
    throw nothingFound(`data set ${dataset.name}`, {
      expected: `a field ${field}`,
      found: `fields ${[...dataset.fields.keys()].join(', ')}`,
    });
  }
  const from = options.from ?? 'nhwc';
  const { shape = [] } = info;
  const [channels, height, width] = from === 'nhwc' ? [shape[2], shape[0], shape[1]] : shape;
  if (shape.length !== 3 || typeof channels !== 'number') {
    throw badShape(`data set ${dataset.name}, field ${field}`, {
      expected: `images ${from === 'nhwc' ? '[height, width, channels]' : '[channels, height, width]'}`,
      found: `${info.dtype}[${shape.join(',')}]`,
      fix: 'Preprocessing is for images; pass other fields to the model as they are.',
    });
  }
  const size = typeof height === 'number' && typeof width === 'number' ? { height, width } : undefined;
  const dtype = options.dtype ?? 'float32';
  const wanted = options.channels ?? channels;
  const where = `preprocessing of data set ${dataset.name}`;
  return {
    field,
    as: options.as ?? field,
    from,
    layout: options.layout ?? 'nchw',
    dtype,
    scale: options.scale ?? (info.dtype === 'uint8' && isFloat(dtype) ? 1 / 255 : 1),
    source: { dtype: info.dtype, channels, size },
    channels: checkedChannels(channels, wanted, where),
    resize: options.resize === undefined ? undefined : positive(options.resize, where),
    crop: options.crop === undefined ? undefined : bothSides(positive(options.crop, where)),
    mean: perChannel('mean', options.mean ?? [0], { channels: wanted, where }),
    std: perChannel('std', options.std ?? [1], { channels: wanted, where }),
    shape: options.shape,
  };
}

const bothSides = (size: number | ImageSize): ImageSize =>
  typeof size === 'number' ? { height: size, width: size } : size;

function positive(size: number | ImageSize, where: string): number | ImageSize {
  const { height, width } = bothSides(size);
  if (Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0 && height * width <= 2 ** 26) {
    return size;
  }
  throw badRequest(where, { expected: 'a size in whole pixels, at most 64 Mi of them', found: `${height}x${width}` });
}

function checkedChannels(has: number, wants: number, where: string): number {
  if (has === wants || (has === 1 && wants === 3) || (has === 3 && wants === 1)) return wants;
  throw badShape(where, {
    expected: `images of ${wants} channels, or grey or colour ones to convert`,
    found: `${has} channels`,
  });
}

function perChannel(
  name: 'mean' | 'std',
  values: readonly number[],
  { channels, where }: { readonly channels: number; readonly where: string },
): readonly number[] {
  const right = values.length === 1 || values.length === channels;
  if (right && values.every((each) => Number.isFinite(each) && (name === 'mean' || each > 0))) {
    return Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c]!);
  }
  throw badRequest(`${where}, option ${name}`, {
    expected: `${channels === 1 ? 'one number' : `1 or ${channels} numbers`}${name === 'std' ? ' above 0' : ''}`,
    found: `[${values.join(', ')}]`,
    fix: 'Values apply after scaling, so for bytes they are usually between 0 and 1.',
  });
}

function outputSize(plan: Plan, source: ImageSize | undefined): ImageSize | undefined {
  if (plan.crop) return plan.crop;
  if (plan.resize === undefined) return source;
  return typeof plan.resize === 'number' ? source && shorterSide(source, plan.resize) : plan.resize;
}

// The longer side is cut, not rounded, as torchvision's Resize does.
const shorterSide = ({ height, width }: ImageSize, side: number): ImageSize =>
  height <= width
    ? { height: side, width: Math.max(1, Math.trunc((side * width) / height)) }
    : { height: Math.max(1, Math.trunc((side * height) / width)), width: side };

const shapeOf = ({ layout, channels }: Plan, size: ImageSize | undefined): readonly (number | string)[] => {
  const [height, width] = [size?.height ?? 'height', size?.width ?? 'width'];
  return layout === 'nchw' ? [channels, height, width] : [height, width, channels];
};

function rasters(batch: Tensor, plan: Plan): readonly Raster[] {
  const [, a, b, c] = batch.shape as readonly [number, number, number, number];
  const [channels, height, width] = plan.from === 'nhwc' ? [c, a, b] : [a, b, c];
  const data = batch.dtype === 'uint8' ? batch.data : toFloats(batch);
  const size = height * width * channels;
  return Array.from({ length: batch.shape[0]! }, (_, i) => {
    const own = data.subarray(i * size, (i + 1) * size);
    const image = { height, width, channels, data: plan.from === 'nhwc' ? own : interleaved(own, channels) };
    return sized(withChannels(image, plan.channels), plan);
  });
}

function interleaved(planes: Uint8Array | Float32Array, channels: number): Uint8Array | Float32Array {
  const count = planes.length / channels;
  const out = planes.slice();
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < count; p++) out[p * channels + c] = planes[c * count + p]!;
  }
  return out;
}

// Luma in 16 fractional bits, as Pillow's convert("L"): 0.299 R + 0.587 G + 0.114 B.
function withChannels(image: Raster, channels: number): Raster {
  if (image.channels === channels) return image;
  const count = image.width * image.height;
  const bytes = image.data instanceof Uint8Array;
  const data = bytes ? new Uint8Array(count * channels) : new Float32Array(count * channels);
  if (channels === 3) {
    for (let i = 0; i < data.length; i++) data[i] = image.data[Math.floor(i / 3)]!;
  } else {
    const rounding = bytes ? 0.5 : 0;
    for (let p = 0; p < count; p++) {
      const [r, g, b] = [image.data[3 * p]!, image.data[3 * p + 1]!, image.data[3 * p + 2]!];
      data[p] = (r * 19595 + g * 38470 + b * 7471) / 65536 + rounding;
    }
  }
  return { ...image, channels, data };
}

function sized(image: Raster, plan: Plan): Raster {
  const wanted = typeof plan.resize === 'number' ? shorterSide(image, plan.resize) : plan.resize;
  const scaled = wanted ? resize(image, wanted) : image;
  if (!plan.crop) return scaled;
  if (scaled.height < plan.crop.height || scaled.width < plan.crop.width) {
    throw badShape('preprocessing, option crop', {
      expected: `images of at least ${plan.crop.height}x${plan.crop.width}`,
      found: `${scaled.height}x${scaled.width}`,
      fix: 'Give the option `resize` as well.',
    });
  }
  return cropCentre(scaled, plan.crop);
}

function finish(images: readonly Raster[], plan: Plan): Tensor {
  const first = images[0] ?? { height: 0, width: 0, channels: plan.channels };
  const odd = images.find((image) => image.height !== first.height || image.width !== first.width);
  if (odd) {
    throw badShape('preprocessing', {
      expected: `images of one size in a batch (${first.height}x${first.width})`,
      found: `${odd.height}x${odd.width}`,
      fix: 'Give the option `resize` with height and width, or `crop`.',
    });
  }
  const shape = plan.shape ?? (shapeOf(plan, first) as readonly number[]); // the size is known here
  const each = first.height * first.width * plan.channels;
  const out = new Float32Array(images.length * each);
  for (const [i, image] of images.entries()) normalise(image, out.subarray(i * each, (i + 1) * each), plan);
  const full = [images.length, ...shape];
  if (plan.dtype === 'float32') return tensor('float32', full, out);
  return fromNumbers(plan.dtype, full, isInteger(plan.dtype) ? clamped(out, plan.dtype) : out);
}

function clamped(values: Float32Array, dtype: DType): Float32Array {
  const signed = dtype.startsWith('int');
  const bits = Math.min(32, bitsOf(dtype));
  const [low, high] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  for (let i = 0; i < values.length; i++) values[i] = Math.min(high, Math.max(low, roundHalfEven(values[i]!)));
  return values;
}

function normalise({ data, width, height }: Raster, out: Float32Array, plan: Plan): void {
  const count = width * height;
  const { channels } = plan;
  for (let c = 0; c < channels; c++) {
    const factor = plan.scale / plan.std[c]!;
    const offset = plan.mean[c]! / plan.std[c]!;
    const [start, step] = plan.layout === 'nchw' ? [c * count, 1] : [c, channels];
    for (let p = 0; p < count; p++) out[start + p * step] = data[p * channels + c]! * factor - offset;
  }
}
