import type { Files, Graph } from '@espalier/core';
import { encodeModel } from './encode-model.js';
import { largestMessage, type OnnxWriteOptions } from './encode-onnx.js';
import { messageTooLarge } from './errors.js';
import { createExternalLayout } from './external-layout.js';

/**
 * Writes a graph as an ONNX file. When it would pass the 2 GiB that protobuf allows, or when asked to, weights go
 * to one file `PATH.data` beside it, streamed from the graph's tensors. Returns the paths written.
 * @throws ONNX_LIMIT, ONNX_UNWRITABLE, GRAPH_* and what `files` throws.
 */
export async function writeOnnx(
  graph: Graph,
  files: Files,
  target: { readonly path: string } & OnnxWriteOptions,
): Promise<readonly string[]> {
  const { path, externalData = 'auto', externalThreshold = 1024, sparse = false } = target;
  if (externalData !== 'always') {
    const { chunks, length } = encodeModel(graph, { sparse, external: () => undefined });
    if (length <= largestMessage) {
      await files.write(path, chunks);
      return [path];
    }
    if (externalData === 'never') throw messageTooLarge(length, largestMessage);
  }
  const data = `${path}.data`;
  const layout = createExternalLayout(data.slice(data.lastIndexOf('/') + 1), externalThreshold);
  const { chunks, length } = encodeModel(graph, { sparse, external: layout.place });
  if (length > largestMessage) throw messageTooLarge(length, largestMessage);
  const weights = layout.chunks();
  // The weights first: a model that names them must find them.
  if (weights.length > 0) await files.write(data, weights);
  await files.write(path, chunks);
  return weights.length > 0 ? [path, data] : [path];
}
