import { type Dim, type Port, problem } from '@espalier/core';
import type { ImageSize, Layout } from './preprocess-options.js';

/** The form of images that an input takes; a part that the model leaves open is undefined. */
export interface ImageTarget {
  readonly layout: Layout;
  readonly channels?: number;
  readonly height?: number;
  readonly width?: number;
  /** Shape of one sample where it is neither [C,H,W] nor [H,W,C]. */
  readonly shape?: readonly number[];
}

/** The stored images. */
export interface StoredImages {
  readonly channels: number;
  readonly size: ImageSize | undefined;
}

/** The error for an input that the data does not fit. */
export const unfit = (port: Port, found: string, fix: string) =>
  problem('DATA_FIT', {
    where: `input "${port.name}"`,
    expected: `data for ${port.dtype}${port.shape ? `[${port.shape.join(',')}]` : ' of unknown shape'}`,
    found,
    fix,
    details: { input: port.name },
  });

/**
 * Reads layout, channels and size from the shape of a model's input.
 * @throws DATA_FIT when the shape does not say which it is, or is not one of images.
 */
export function imageTarget(port: Port, stored: StoredImages, layout: Layout | undefined): ImageTarget {
  const inner = port.shape?.slice(1);
  switch (inner?.length) {
    case 3:
      return ofImages(port, { inner: inner as [Dim, Dim, Dim], stored, layout });
    case 2:
      return ofRows(port, { inner: inner as [Dim, Dim], stored });
    case 1:
      return ofFlat(port, { wanted: inner[0]!, stored, layout });
    default:
      if (!inner && layout) return { layout };
      throw unfit(
        port,
        inner ? `an input of rank ${inner.length + 1}` : 'an input whose rank is not known',
        inner ? 'Images go to [N,C,H,W], [N,H,W,C], [N,H,W] or [N,K].' : 'Give the option `layout`.',
      );
  }
}

function ofImages(
  port: Port,
  {
    inner,
    stored,
    layout,
  }: { readonly inner: readonly [Dim, Dim, Dim]; readonly stored: StoredImages; readonly layout: Layout | undefined },
): ImageTarget {
  const found = layout ?? guess(inner, stored.channels);
  if (!found) {
    throw unfit(port, 'a shape that does not tell channels from rows and columns', 'Give the option `layout`.');
  }
  const [channels, height, width] = found === 'nchw' ? inner : [inner[2], inner[0], inner[1]];
  return { layout: found, ...known({ channels, height, width }) };
}

function guess([first, second, last]: readonly [Dim, Dim, Dim], stored: number): Layout | undefined {
  const isChannels = (dim: Dim) => dim === 1 || dim === 3 || dim === stored;
  if (isChannels(first) && isChannels(last)) {
    if ((first === stored) === (last === stored)) return undefined;
    return first === stored ? 'nchw' : 'nhwc';
  }
  if (isChannels(first)) return 'nchw';
  if (isChannels(last)) return 'nhwc';
  const open = [first, second, last].map((dim) => typeof dim === 'string').join();
  return open === 'true,false,false' ? 'nchw' : open === 'false,false,true' ? 'nhwc' : undefined;
}

function ofRows(
  port: Port,
  { inner, stored }: { readonly inner: readonly [Dim, Dim]; readonly stored: StoredImages },
): ImageTarget {
  if (port.shape?.[0] === 3 && stored.channels === 3) {
    throw unfit(
      port,
      'colour images and an input without a batch axis',
      'Export the model with a batch axis: [N,3,H,W].',
    );
  }
  const sizes = known({ height: inner[0], width: inner[1] });
  const height = sizes.height ?? stored.size?.height;
  const width = sizes.width ?? stored.size?.width;
  if (height === undefined || width === undefined) {
    throw unfit(port, 'images of different sizes', 'Fix the size of the input first.');
  }
  return { layout: 'nchw', channels: 1, height, width, shape: [height, width] };
}

function ofFlat(
  port: Port,
  {
    wanted,
    stored,
    layout,
  }: { readonly wanted: Dim; readonly stored: StoredImages; readonly layout: Layout | undefined },
): ImageTarget {
  const { size } = stored;
  if (!size) throw unfit(port, 'images of different sizes', 'Give images of one size: they are flattened as they are.');
  const plane = size.height * size.width;
  const channels = [stored.channels, 1, 3].find((count) => typeof wanted === 'string' || count * plane === wanted);
  if (channels === undefined) {
    throw unfit(
      port,
      `images of ${size.height}x${size.width} with ${stored.channels} channels`,
      'Give the option `resize` with height and width.',
    );
  }
  return { layout: layout ?? 'nchw', channels, ...size, shape: [channels * plane] };
}

// Leaves out what is symbolic.
function known<K extends string>(dims: Readonly<Record<K, Dim>>): { readonly [key in K]?: number } {
  return Object.fromEntries(Object.entries(dims).filter(([, dim]) => typeof dim === 'number')) as {
    readonly [key in K]?: number; // only numbers are left
  };
}
