import { byteLength, type Tensor, type TypedArray } from '@espalier/core';
import type { ExternalRange } from './encode-context.js';
import { rawBytes } from './encode-tensor.js';

/** Weights of this size begin at a page, so that readers can map them. */
const large = 65536;
const page = 4096;
/** All others begin where a view of any type may. */
const line = 64;

/** A file beside the model under construction. */
export interface ExternalLayout {
  /** Gives a weight its place, the same one for the same data; undefined for weights that stay in the model. */
  place(tensor: Tensor): ExternalRange | undefined;
  /** The bytes of the file so far, weights by reference. */
  chunks(): readonly Uint8Array[];
}

/** Lays weights of at least `threshold` bytes out one after another in the file `location`. */
export function createExternalLayout(location: string, threshold: number): ExternalLayout {
  const chunks: Uint8Array[] = [];
  const places = new Map<TypedArray, ExternalRange>();
  let end = 0;
  return {
    place(tensor) {
      if (tensor.dtype === 'string') return undefined;
      const length = byteLength(tensor);
      if (length < threshold || length === 0) return undefined;
      const known = places.get(tensor.data);
      if (known) return known;
      const alignment = length >= large ? page : line;
      const offset = Math.ceil(end / alignment) * alignment;
      if (offset > end) chunks.push(new Uint8Array(offset - end));
      chunks.push(rawBytes(tensor.data));
      end = offset + length;
      const range = { location, offset, length };
      places.set(tensor.data, range);
      return range;
    },
    chunks: () => chunks,
  };
}
