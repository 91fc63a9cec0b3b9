import type { Port } from '@espalier/core';
import type { FitOptions } from './fit-options.js';
import { type ImageTarget, unfit } from './input-layout.js';
import type { ImageSize, PreprocessOptions } from './preprocess-options.js';
import { bothSides } from './preprocess-plan.js';

type Sizing = Pick<PreprocessOptions, 'resize' | 'crop'>;

/** The sizes that are known when images are resized to an input. */
interface Sizes {
  readonly target: ImageTarget;
  readonly stored: ImageSize | undefined;
  readonly fit: NonNullable<FitOptions['fit']>;
  readonly resize: number | ImageSize | undefined;
  readonly crop: number | ImageSize | undefined;
}

/** The resizing and cropping that brings images to the size of an input. @throws DATA_FIT when options contradict it. */
export function imageSizing(port: Port, sizes: Sizes): Sizing {
  const { target, stored, fit, resize, crop } = sizes;
  const size = wantedSize(target, stored);
  if (resize !== undefined || crop !== undefined) return asGiven(port, sizes, size);
  if (!size) throw unfit(port, 'images of different sizes', 'Give the option `resize` with height and width.');
  if (stored && stored.height === size.height && stored.width === size.width) return {};
  if (fit === 'refuse') {
    const found = stored ? `images of ${stored.height}x${stored.width}` : 'images of different sizes';
    throw unfit(port, found, 'Allow `stretch` or `crop`, or give images of this size.');
  }
  return fit === 'stretch' ? { resize: size } : { resize: Math.max(size.height, size.width), crop: size };
}

function wantedSize(target: ImageTarget, stored: ImageSize | undefined): ImageSize | undefined {
  const height = target.height ?? stored?.height;
  const width = target.width ?? stored?.width;
  return height === undefined || width === undefined ? undefined : { height, width };
}

// What the user wrote, with a crop to the input where that is all that is missing.
function asGiven(port: Port, { target, resize, crop }: Sizes, size: ImageSize | undefined): Sizing {
  const asked: Sizing = { ...(resize === undefined ? {} : { resize }), ...(crop === undefined ? {} : { crop }) };
  const open = target.height === undefined && target.width === undefined;
  if (open || !size) return asked;
  const last = crop ?? (typeof resize === 'object' ? resize : undefined);
  if (last === undefined) return { ...asked, crop: size };
  const { height, width } = bothSides(last);
  if (height === size.height && width === size.width) return asked;
  if (crop === undefined && height >= size.height && width >= size.width) return { ...asked, crop: size };
  throw unfit(port, `images resized or cut to ${height}x${width}`, `The input takes ${size.height}x${size.width}.`);
}
