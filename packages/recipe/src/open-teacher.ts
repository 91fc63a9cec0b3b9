import type { Graph, Reference } from '@espalier/core';
import { badValue } from './errors.js';
import { openAnyModel } from './open-any-model.js';
import type { StepContext } from './step.js';

/**
 * The model that `teacher` names: `original` for the one that the recipe began with, an architecture, or a file.
 * @throws RECIPE_INVALID where there is no such thing, and as `openAnyModel`.
 */
export async function openTeacher(teacher: Reference, where: string, context: StepContext): Promise<Graph> {
  const { original, files, registry, seed } = context;
  if (teacher === 'original') {
    if (original) return original;
    throw badValue(where, 'a model by its path: the one that the recipe began with is not at hand', teacher);
  }
  if (!files) throw badValue(where, '`original`, for there are no files at hand', teacher);
  return (await openAnyModel(teacher, { registry, files, seed, where })).graph;
}
