import { checkGraph, type Graph } from '@espalier/core';
import { decodeModel } from './decode-model.js';
import { inFile, quoted, unsupported } from './errors.js';
import { wholeSource } from './source.js';

/** Options for reading ONNX bytes. */
export interface OnnxReadOptions {
  /**
   * Bytes that the sparse tensors of a model may take when made dense, in all. Unless given: 64 bytes for each byte
   * of the files, and 16 MiB besides.
   */
  readonly maxDenseBytes?: number;
}

/** The bound on dense memory for files of a size. */
export const denseBytesFor = (bytes: number): number => 64 * bytes + 2 ** 24;

/**
 * Reads a model from the bytes of an ONNX file. Weights become views of `bytes` where they are aligned for their
 * type, copies elsewhere: do not change `bytes` afterwards. `where` names the file in errors.
 * @throws ONNX_TRUNCATED, ONNX_MALFORMED, ONNX_LIMIT, ONNX_UNSUPPORTED (external data: use `readOnnx`), GRAPH_*.
 */
export function decodeOnnx(
  bytes: Uint8Array,
  { where = 'model', maxDenseBytes = denseBytesFor(bytes.length) }: OnnxReadOptions & { readonly where?: string } = {},
): Graph {
  const graph = decodeModel(wholeSource(bytes), {
    file: where,
    maxDenseBytes,
    external: ({ location, place }) => {
      throw unsupported(place, {
        expected: 'weights inside the model',
        found: `external data in ${quoted(location)}`,
        fix: 'Read the model with `readOnnx`, which opens the files beside it.',
      });
    },
  });
  return inFile(where, () => checkGraph(graph));
}
