import { beside, checkKeys, type Files, type Graph } from '@espalier/core';
import { encodeModel } from './encode-model.js';
import { largestMessage, type OnnxWriteOptions, writeKeys } from './encode-onnx.js';
import { messageTooLarge } from './errors.js';
import { createExternalLayout } from './external-layout.js';

/**
 * Writes a graph as an ONNX file. When it would pass the 2 GiB that protobuf allows, or when asked to, weights go
 * to files beside it, streamed from the graph's tensors: `PATH.data`, and where that has a limit `PATH.data_1` and so
 * on. Returns the paths written.
 * @throws ONNX_LIMIT, ONNX_UNWRITABLE, GRAPH_* and what `files` throws.
 */
export async function writeOnnx(
  graph: Graph,
  files: Files,
  target: { readonly path: string } & OnnxWriteOptions,
): Promise<readonly string[]> {
  checkKeys<typeof target>('writeOnnx', target, { ...writeKeys, path: true });
  const { path, externalData = 'auto', externalThreshold = 1024, sparse = false } = target;
  const { externalEnding = '.data', externalLimit = Number.POSITIVE_INFINITY } = target;
  if (externalData !== 'always') {
    const { chunks, length } = encodeModel(graph, { sparse, external: () => undefined });
    if (length <= largestMessage) {
      await files.write(path, chunks);
      return [path];
    }
    if (externalData === 'never') throw messageTooLarge(length, largestMessage);
  }
  const name = `${path.slice(path.lastIndexOf('/') + 1)}${externalEnding}`;
  const layout = createExternalLayout({ name, threshold: externalThreshold, limit: externalLimit });
  const { chunks, length } = encodeModel(graph, { sparse, external: layout.place });
  if (length > largestMessage) throw messageTooLarge(length, largestMessage);
  const weights = layout.files().map((file) => ({ ...file, path: beside(path, file.name) }));
  // The weights first: a model that names them must find them.
  for (const file of weights) await files.write(file.path, file.chunks);
  await files.write(path, chunks);
  return [path, ...weights.map((file) => file.path)];
}
