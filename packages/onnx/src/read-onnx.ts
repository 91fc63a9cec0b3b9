import { checkGraph, type Files, type Graph } from '@espalier/core';
import type { ExternalReference } from './decode-context.js';
import { decodeModel } from './decode-model.js';
import { denseBytesFor, type OnnxReadOptions } from './decode-onnx.js';
import { inFile } from './errors.js';
import { readExternal } from './read-external.js';
import { readSource } from './read-source.js';

/**
 * Reads a model file, and the weights it keeps in files beside it. Large weights are read straight to where they
 * stay: the file is held in memory once.
 * @throws FILE_*, ONNX_*, GRAPH_*.
 */
export async function readOnnx(files: Files, path: string, options: OnnxReadOptions = {}): Promise<Graph> {
  const { source, size } = await readSource(files, path);
  const references: ExternalReference[] = [];
  const listed = decodeModel(source, {
    file: path,
    maxDenseBytes: options.maxDenseBytes ?? denseBytesFor(size),
    external(reference) {
      references.push(reference);
      return undefined;
    },
  });
  if (references.length === 0) return inFile(path, () => checkGraph(listed));
  // The first reading only named the ranges. The model itself is small when its weights lie elsewhere.
  const data = await readExternal(files, path, references);
  const graph = decodeModel(source, {
    file: path,
    maxDenseBytes: options.maxDenseBytes ?? denseBytesFor(size + data.bytes),
    external: data.find,
  });
  return inFile(path, () => checkGraph(graph));
}
