import { type Dataset, type DType, isFloat } from '@espalier/core';
import { badRequest, badShape, nothingFound } from './errors.js';
import type { ImageSize, PreprocessOptions } from './preprocess-options.js';

/** The plan for one field, with every option decided. */
export interface Plan
  extends Required<Pick<PreprocessOptions, 'field' | 'as' | 'from' | 'layout' | 'dtype' | 'scale'>> {
  readonly source: { readonly dtype: DType; readonly channels: number; readonly size: ImageSize | undefined };
  readonly channels: number;
  readonly resize: number | ImageSize | undefined;
  readonly crop: ImageSize | undefined;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly shape: readonly number[] | undefined;
}

/**
 * Decides every option for a data set.
 * @throws DATA_EMPTY without the field, DATA_SHAPE when it holds no images, DATA_SPEC for options that contradict.
 */
export function planOf(dataset: Dataset, options: PreprocessOptions): Plan {
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
  if (options.as !== undefined && options.as !== field && dataset.fields.has(options.as)) {
    throw badRequest(`${where}, option as`, { expected: 'a name that is not in use', found: `"${options.as}"` });
  }
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

/** One number stands for both sides. */
export const bothSides = (size: number | ImageSize): ImageSize =>
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

/** The size of the images afterwards, where it is the same for all. */
export function outputSize(plan: Pick<Plan, 'resize' | 'crop'>, source: ImageSize | undefined): ImageSize | undefined {
  if (plan.crop) return plan.crop;
  if (plan.resize === undefined) return source;
  return typeof plan.resize === 'number' ? source && shorterSide(source, plan.resize) : plan.resize;
}

/** The size whose shorter side is `side`; the longer one is cut, not rounded, as torchvision's Resize does. */
export const shorterSide = ({ height, width }: ImageSize, side: number): ImageSize =>
  height <= width
    ? { height: side, width: Math.max(1, Math.trunc((side * width) / height)) }
    : { height: Math.max(1, Math.trunc((side * height) / width)), width: side };
