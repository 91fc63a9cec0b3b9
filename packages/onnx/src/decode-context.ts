import type { Graph } from '@espalier/core';
import type { Place } from './errors.js';
import type { Proto } from './schema.js';

/** A range of a file beside the model. Without `length`, as much as the tensor takes. */
export interface ExternalReference {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
  readonly place: Place;
}

/** State shared by the readers of the single messages. */
export interface DecodeContext {
  /** The name of the file, for errors. */
  readonly file: string;
  /** The bytes a tensor keeps in another file; undefined while they are only being listed. */
  external(reference: ExternalReference): Uint8Array | undefined;
  /** Asks for memory that the bytes of the file do not back, for sparse tensors. @throws ONNX_LIMIT. */
  claim(bytes: number, place: Place): void;
  /** Reads the graph of an attribute; here so that graphs and attributes need not import each other. */
  graph(proto: Proto<'Graph'>, path: string): Graph;
}

/** Where a message stands, for errors. */
export const placeIn = ({ file }: DecodeContext, { at }: { readonly at: number }, path: string): Place => ({
  file,
  byte: at,
  path,
});
