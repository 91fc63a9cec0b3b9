import { byteLength, type Tensor, type TypedArray } from '@espalier/core';
import type { ExternalRange } from './encode-context.js';
import { rawBytes } from './encode-tensor.js';

/** Weights of this size begin at a page, so that readers can map them. */
const large = 65536;
const page = 4096;
/** All others begin where a view of any type may. */
const line = 64;

/** Names and sizes of the files beside a model. */
export interface ExternalChoice {
  /** The name of the first file; further ones are called NAME_1, NAME_2. */
  readonly name: string;
  /** Weights of fewer bytes stay in the model. */
  readonly threshold: number;
  /** A weight that would make a file longer than this begins the next one. */
  readonly limit: number;
}

/** A file beside the model. */
export interface ExternalFile {
  readonly name: string;
  /** Its bytes so far, weights by reference. */
  readonly chunks: readonly Uint8Array[];
}

/** Files beside the model under construction. */
export interface ExternalLayout {
  /** Gives a weight its place, the same one for the same data; undefined for weights that stay in the model. */
  place(tensor: Tensor): ExternalRange | undefined;
  files(): readonly ExternalFile[];
}

/** Lays weights of at least `threshold` bytes out one after another. */
export function createExternalLayout({ name, threshold, limit }: ExternalChoice): ExternalLayout {
  const files: { readonly name: string; readonly chunks: Uint8Array[] }[] = [];
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
      let offset = Math.ceil(end / alignment) * alignment;
      let file = files.at(-1);
      if (!file || (offset > 0 && offset + length > limit)) {
        file = { name: files.length === 0 ? name : `${name}_${files.length}`, chunks: [] };
        files.push(file);
        [offset, end] = [0, 0];
      }
      if (offset > end) file.chunks.push(new Uint8Array(offset - end));
      file.chunks.push(rawBytes(tensor.data));
      end = offset + length;
      const range = { location: file.name, offset, length };
      places.set(tensor.data, range);
      return range;
    },
    files: () => files,
  };
}
