import { checkKeys, type Graph, type KeysOf } from '@espalier/core';
import { encodeModel } from './encode-model.js';
import { messageTooLarge, unwritable } from './errors.js';

/** The largest message protobuf allows is 2^31 - 1 bytes. */
export const largestMessage = 2 ** 31 - 1;

/** Options for writing a graph as ONNX. */
export interface OnnxWriteOptions {
  /** Whether weights go to one file beside the model: when they do not fit into it (`auto`), always, or never. */
  readonly externalData?: 'auto' | 'always' | 'never';
  /** Smallest weight in bytes that goes to the file beside the model, when there is one. Default: 1024. */
  readonly externalThreshold?: number;
  /** The ending that the file beside the model adds to the model's name. Default: `.data`. */
  readonly externalEnding?: string;
  /** Most bytes of a file beside the model; what is beyond goes to further ones. Default: no limit. */
  readonly externalLimit?: number;
  /** Whether floating-point weights that take less as a sparse tensor are written as one. Default: false. */
  readonly sparse?: boolean;
}

/** The keys of the options of writing. */
export const writeKeys: KeysOf<OnnxWriteOptions> = {
  externalData: true,
  externalThreshold: true,
  externalEnding: true,
  externalLimit: true,
  sparse: true,
};

/**
 * A graph as the bytes of an ONNX file, in chunks that follow each other. Weights are not copied: chunks are views
 * of the graph's tensors, so do not write to them. The same graph always gives the same bytes.
 * @throws ONNX_LIMIT beyond 2 GiB (use `writeOnnx`), ONNX_UNWRITABLE, GRAPH_*.
 */
export function encodeOnnx(graph: Graph, options: OnnxWriteOptions = {}): readonly Uint8Array[] {
  checkKeys<OnnxWriteOptions>('encodeOnnx', options, writeKeys);
  if (options.externalData === 'always') {
    throw unwritable('encodeOnnx', {
      expected: 'weights inside the model',
      found: "externalData: 'always'",
      fix: 'Write with `writeOnnx`, which makes files.',
    });
  }
  const { chunks, length } = encodeModel(graph, { sparse: options.sparse ?? false, external: () => undefined });
  if (length > largestMessage) throw messageTooLarge(length, largestMessage);
  return chunks;
}
