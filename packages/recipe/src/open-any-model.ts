import { type Files, type Graph, type Reference, type Registry, readReference } from '@espalier/core';
import { openModel } from './open-model.js';
import { referenceWithOptions } from './steps/reference-with-options.js';

/** A model, and whether it came from a file. */
export interface NamedModel {
  readonly graph: Graph;
  readonly file: boolean;
}

/**
 * The model that a reference names: an architecture where a plugin of kind `model` has that id, a file otherwise. An
 * architecture's seed is the recipe's unless it says its own.
 * @throws as `openModel` and as the plugin.
 */
export async function openAnyModel(
  reference: Reference,
  {
    registry,
    files,
    seed,
    where,
  }: { readonly registry: Registry; readonly files: Files; readonly seed: number; readonly where: string },
): Promise<NamedModel> {
  const { use } = readReference(reference, where);
  if (typeof reference === 'string' && !registry.ids('model').includes(use)) {
    return { graph: (await openModel(registry, files, use)).graph, file: true };
  }
  const { plugin } = referenceWithOptions(registry, { kind: 'model', driver: {}, reference, where, seed });
  return { graph: plugin, file: false };
}
