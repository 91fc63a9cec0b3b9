import { type Files, type Graph, instantiate, missingFile, problem, type Registry } from '@espalier/core';
import { inKnownOpset } from './in-known-opset.js';

/** A model with the id of the importer that read it and the size of its file. */
export interface OpenedModel {
  readonly graph: Graph;
  readonly format: string;
  /** Bytes of the model file alone, without external data. */
  readonly bytes: number;
}

/**
 * Reads a model with the importer that recognises its first bytes, the file name ending deciding between several.
 * @throws FILE_MISSING, MODEL_FORMAT, and whatever the importer throws.
 */
export async function openModel(registry: Registry, files: Files, path: string): Promise<OpenedModel> {
  const bytes = await files.size(path);
  if (bytes === undefined) throw missingFile(path);
  const head = await files.read(path, { offset: 0, length: Math.min(64, bytes) });
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const ids = registry.ids('import');
  const candidates = ids.map((id) => ({ id, importer: instantiate(registry.find('import', id), {}) }));
  const fitting = candidates.filter(({ importer }) => importer.recognises(head));
  const chosen = fitting.find(({ importer }) => importer.extensions.includes(ending)) ?? fitting[0];
  if (!chosen) {
    throw problem('MODEL_FORMAT', {
      where: path,
      expected: `a model in one of the formats ${ids.join(', ')}`,
      found: bytes === 0 ? 'an empty file' : `${bytes} bytes that look like none of them`,
      fix: 'Check that this is a model file and that it is complete.',
    });
  }
  // Files that the model names stay in its folder, even where the user may name any path.
  const name = path.slice(path.lastIndexOf('/') + 1);
  const folder = path.slice(0, path.length - name.length);
  const graph = await (files.within
    ? chosen.importer.read(files.within(folder), name)
    : chosen.importer.read(files, path));
  return { graph: inKnownOpset(graph), format: chosen.id, bytes };
}
