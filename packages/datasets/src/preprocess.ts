import {
  bitsOf,
  type Dataset,
  type DType,
  fromNumbers,
  isInteger,
  roundHalfEven,
  type Tensor,
  tensor,
  toFloats,
  type ValueInfo,
} from '@espalier/core';
import { badShape } from './errors.js';
import type { ImageSize, PreprocessOptions } from './preprocess-options.js';
import { outputSize, type Plan, planOf, shorterSide } from './preprocess-plan.js';
import { cropCentre, type Raster, resize } from './resize.js';
import { joinRows } from './tensor-set.js';

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
      const groups = plan.source.size || indices.length === 0 ? [indices] : indices.map((index) => [index]);
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
