import { type Dataset, type Dim, type Port, problem, type ValueInfo } from '@espalier/core';
import type { FitOptions } from './fit-options.js';
import { imageSizing } from './image-sizing.js';
import { imageTarget, unfit } from './input-layout.js';
import { compatible, imageOptions, passField } from './pass-field.js';
import { preprocess } from './preprocess.js';
import type { Layout } from './preprocess-options.js';
import { bothSides, outputSize } from './preprocess-plan.js';

/**
 * The data set as a model's input wants it: the field named after the input, in its layout, size, number of channels
 * and dtype. `[N,3,H,W]` and `[N,1,H,W]` are channels first, `[N,H,W,3]` and `[N,H,W,1]` channels last, `[N,H,W]`
 * is grey, `[N,K]` a flat image of K values. Symbolic dimensions take what the data has. Fields that are no images
 * change their name, and their dtype where no value can be lost but by rounding a float.
 * @throws DATA_FIT when the input is ambiguous or cannot be met; DATA_SPEC and DATA_SHAPE as `preprocess` does.
 */
export function fitToInput(dataset: Dataset, port: Port, options: FitOptions = {}): Dataset {
  const field = options.field ?? fieldFor(dataset, port);
  const info = dataset.fields.get(field);
  if (!info) throw noField(dataset, port);
  const from = options.from ?? storedLayout(field, { info, port, options });
  if (!from) return passField(dataset, { field, info, port, options });
  const stored = storedImages(info, { from, port });
  const { fit = 'stretch', resize, crop, ...rest } = options;
  const size = outputSize({ resize, crop: crop === undefined ? undefined : bothSides(crop) }, stored.size);
  const target = imageTarget(port, { ...stored, size }, options.layout);
  return preprocess(dataset, {
    ...rest,
    ...imageSizing(port, { target, stored: stored.size, fit, resize, crop }),
    field,
    from,
    as: port.name,
    layout: target.layout,
    dtype: port.dtype,
    channels: channelsOf(port, { wanted: target.channels, given: options.channels, stored: stored.channels }),
    ...(target.shape ? { shape: target.shape } : {}),
  });
}

/** The field an input is fed from: its own name, else `image`, else the only one that is not the label. */
function fieldFor(dataset: Dataset, port: Port): string {
  if (dataset.fields.has(port.name)) return port.name;
  if (dataset.fields.has('image')) return 'image';
  const others = [...dataset.fields.keys()].filter((name) => name !== 'label');
  if (others.length === 1) return others[0]!;
  throw noField(dataset, port);
}

const noField = (dataset: Dataset, port: Port) =>
  problem('DATA_FIT', {
    where: `data set ${dataset.name}`,
    expected: `a field for the input "${port.name}"`,
    found: `fields ${[...dataset.fields.keys()].join(', ')}`,
    fix: 'Name the arrays after the inputs of the model.',
  });

// Undefined for fields that are no images. Arrays that fit as they are stay as they are, unless they are to be scaled.
function storedLayout(
  field: string,
  { info, port, options }: { readonly info: ValueInfo; readonly port: Port; readonly options: FitOptions },
): Layout | undefined {
  const { shape = [] } = info;
  if (shape.length !== 3) return undefined;
  if (field === 'image') return 'nhwc';
  const inner = port.shape?.slice(1);
  const fits = inner !== undefined && compatible(shape, inner);
  if (fits && imageOptions.every((name) => options[name] === undefined)) return undefined;
  if (isColour(shape[0]!) !== isColour(shape[2]!)) return isColour(shape[2]!) ? 'nhwc' : 'nchw';
  return fits ? (options.layout ?? 'nchw') : undefined;
}

const isColour = (dim: Dim): boolean => dim === 1 || dim === 3;

function storedImages(
  { dtype, shape = [] }: ValueInfo,
  { from, port }: { readonly from: Layout; readonly port: Port },
) {
  const [channels, height, width] = from === 'nhwc' ? [shape[2], shape[0], shape[1]] : shape;
  if (shape.length !== 3 || typeof channels !== 'number') {
    throw unfit(port, `samples ${dtype}[${shape.join(',')}]`, 'Layouts are for images [H,W,C] or [C,H,W].');
  }
  return { channels, size: typeof height === 'number' && typeof width === 'number' ? { height, width } : undefined };
}

function channelsOf(
  port: Port,
  {
    wanted,
    given,
    stored,
  }: { readonly wanted: number | undefined; readonly given: number | undefined; readonly stored: number },
): number {
  if (given !== undefined && wanted !== undefined && given !== wanted) {
    throw unfit(port, `the option channels: ${given}`, `The input has ${wanted}.`);
  }
  return wanted ?? given ?? stored;
}
