import {
  type Dataset,
  type Dim,
  fromNumbers,
  isFloat,
  isInteger,
  type Port,
  problem,
  type Tensor,
  toFloats,
  toNumbers,
  type ValueInfo,
} from '@espalier/core';
import { badRequest } from './errors.js';
import { type ImageTarget, imageTarget, unfit } from './input-layout.js';
import { type ImageSize, type Layout, type PreprocessOptions, preprocess } from './preprocess.js';

/** What the user decides; everything else follows from the model's input. */
export interface FitOptions extends Omit<PreprocessOptions, 'as' | 'dtype' | 'shape'> {
  /**
   * What happens to images of another size than the input: `stretch` both sides to it (the default), `crop` (the
   * shorter side is resized to the longer side of the input, then the middle is cut out), or `refuse`.
   */
  readonly fit?: 'stretch' | 'crop' | 'refuse';
}

/**
 * The data set as a model's input wants it: the field named after the input, in its layout, size, number of channels
 * and dtype. `[N,3,H,W]` and `[N,1,H,W]` are channels first, `[N,H,W,3]` and `[N,H,W,1]` channels last, `[N,H,W]`
 * is grey, `[N,K]` a flat image of K values. Symbolic dimensions take what the data has. Fields that are no images
 * change their name, and their dtype where no value can be lost but by rounding a float.
 * @throws DATA_FIT when the input cannot be told apart or met; DATA_SPEC and DATA_SHAPE as `preprocess` does.
 */
export function fitToInput(dataset: Dataset, port: Port, options: FitOptions = {}): Dataset {
  const field = options.field ?? fieldFor(dataset, port);
  const info = dataset.fields.get(field);
  if (!info) throw noField(dataset, port);
  const from = options.from ?? storedLayout(field, { info, port, options });
  if (!from) return plainField(dataset, { field, info, port, options });
  const stored = storedImages(info, { from, port });
  const target = imageTarget(port, stored, options.layout);
  const { fit = 'stretch', resize, crop, ...rest } = options;
  const size = wantedSize(target, stored.size);
  return preprocess(dataset, {
    ...rest,
    ...sizing(port, { size, stored: stored.size, fit, resize, crop }),
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

const imageOptions = ['scale', 'mean', 'std', 'resize', 'crop', 'channels', 'layout'] as const;

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

const compatible = (has: readonly Dim[], wants: readonly Dim[]): boolean =>
  has.length === wants.length &&
  has.every((dim, i) => typeof dim === 'string' || typeof wants[i] === 'string' || dim === wants[i]);

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

function wantedSize(target: ImageTarget, stored: ImageSize | undefined): ImageSize | undefined {
  const height = target.height ?? stored?.height;
  const width = target.width ?? stored?.width;
  return height === undefined || width === undefined ? undefined : { height, width };
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

type Sizing = Pick<PreprocessOptions, 'resize' | 'crop'>;

function sizing(
  port: Port,
  want: {
    readonly size: ImageSize | undefined;
    readonly stored: ImageSize | undefined;
    readonly fit: 'stretch' | 'crop' | 'refuse';
    readonly resize: number | ImageSize | undefined;
    readonly crop: number | ImageSize | undefined;
  },
): Sizing {
  const { size, stored, fit, resize, crop } = want;
  const fixed = port.shape?.slice(1).some((dim) => typeof dim === 'number' && dim > 3) ?? false;
  if (resize !== undefined || crop !== undefined) {
    const asked: Sizing = { ...(resize === undefined ? {} : { resize }), ...(crop === undefined ? {} : { crop }) };
    if (!fixed || !size) return asked;
    const last = crop ?? (typeof resize === 'object' ? resize : undefined);
    if (last === undefined) return { ...asked, crop: size };
    const both = typeof last === 'number' ? { height: last, width: last } : last;
    if (both.height === size.height && both.width === size.width) return asked;
    if (crop === undefined && both.height >= size.height && both.width >= size.width) return { ...asked, crop: size };
    throw unfit(
      port,
      `images resized or cut to ${both.height}x${both.width}`,
      `The input takes ${size.height}x${size.width}.`,
    );
  }
  if (!size) throw unfit(port, 'images of different sizes', 'Give the option `resize` with height and width.');
  if (stored && stored.height === size.height && stored.width === size.width) return {};
  if (fit === 'refuse') {
    const found = stored ? `images of ${stored.height}x${stored.width}` : 'images of different sizes';
    throw unfit(port, found, 'Allow `stretch` or `crop`, or give images of this size.');
  }
  return fit === 'stretch' ? { resize: size } : { resize: Math.max(size.height, size.width), crop: size };
}

function plainField(
  dataset: Dataset,
  {
    field,
    info,
    port,
    options,
  }: { readonly field: string; readonly info: ValueInfo; readonly port: Port; readonly options: FitOptions },
): Dataset {
  const given = imageOptions.find((name) => options[name] !== undefined);
  if (given) {
    throw badRequest(`data set ${dataset.name}, option ${given}`, {
      expected: 'a field of images',
      found: `field ${field} with samples ${info.dtype}[${info.shape?.join(',') ?? '?'}]`,
      fix: 'Leave the preprocessing options away, and store the values as the model wants them.',
    });
  }
  const inner = port.shape?.slice(1);
  if (inner && info.shape && !compatible(info.shape, inner)) {
    throw unfit(port, `field ${field} with samples ${info.dtype}[${info.shape.join(',')}]`, 'Use data of this shape.');
  }
  if (info.dtype !== port.dtype && !convertible(info, port)) {
    throw unfit(port, `field ${field} of ${info.dtype}`, `Store the array as ${port.dtype}.`);
  }
  return renamed(dataset, { field, port, info });
}

const convertible = (from: ValueInfo, to: Port): boolean =>
  (isFloat(from.dtype) && isFloat(to.dtype)) || (isInteger(from.dtype) && (isInteger(to.dtype) || isFloat(to.dtype)));

function renamed(
  dataset: Dataset,
  { field, port, info }: { readonly field: string; readonly port: Port; readonly info: ValueInfo },
): Dataset {
  if (field === port.name && info.dtype === port.dtype) return dataset;
  const rename = <V>(entries: Iterable<readonly [string, V]>, change: (value: V) => V) =>
    new Map([...entries].map(([name, value]) => (name === field ? [port.name, change(value)] : [name, value])));
  return {
    ...dataset,
    fields: rename(dataset.fields, (value) => ({ ...value, dtype: port.dtype })),
    async read(indices) {
      return rename(await dataset.read(indices), (value) => as(value, port));
    },
  };
}

function as(value: Tensor, { dtype }: Port): Tensor {
  if (value.dtype === dtype) return value;
  return fromNumbers(
    dtype,
    value.shape,
    isFloat(value.dtype) && dtype !== 'float64' ? toFloats(value) : toNumbers(value),
  );
}
