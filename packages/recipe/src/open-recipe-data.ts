import type { Dataset, DatasetContext, Files, Port, Registry } from '@espalier/core';
import { openData } from './open-data.js';
import type { DataRole, Recipe } from './recipe.js';
import type { Progress } from './step.js';

/** The data sets of a recipe, fitted to a model's inputs. */
export type RecipeData = { readonly [R in DataRole]?: Dataset };

/** Opens every data set that a recipe names. @throws as `openData`, with the role in front. */
export async function openRecipeData(
  {
    recipe,
    registry,
    files,
    progress = () => {},
  }: { readonly recipe: Recipe; readonly registry: Registry; readonly files: Files; readonly progress?: Progress },
  { inputs, model }: { readonly inputs: readonly Port[]; readonly model?: NonNullable<DatasetContext['model']> },
): Promise<RecipeData> {
  const seed = recipe.seed ?? 0;
  const open = (role: DataRole) => {
    const source = recipe.data?.[role];
    return (
      source &&
      openData(source, { registry, files, inputs, ...(model ? { model } : {}), seed, where: `data.${role}`, progress })
    );
  };
  const calibration = await open('calibration');
  const training = await open('training');
  const evaluation = await open('evaluation');
  return {
    ...(calibration ? { calibration } : {}),
    ...(training ? { training } : {}),
    ...(evaluation ? { evaluation } : {}),
  };
}
