import type { Dataset, DatasetContext, Files, Port, Registry, SettledInputs } from '@espalier/core';
import { heldOut } from './held-out.js';
import { openData } from './open-data.js';
import type { DataRole, DataSource, Recipe } from './recipe.js';
import type { Progress } from './step.js';

/** The data sets of a recipe, fitted to a model's inputs. */
export type RecipeData = { readonly [R in DataRole]?: Dataset } & {
  /** Samples of the calibration source that are not calibrated on, where there is no evaluation data. */
  readonly heldOut?: Dataset;
};

/** Opens every data set that a recipe names. @throws as `openData`, with the role in front. */
export async function openRecipeData(
  {
    recipe,
    registry,
    files,
    progress = () => {},
  }: { readonly recipe: Recipe; readonly registry: Registry; readonly files: Files; readonly progress?: Progress },
  {
    inputs,
    model,
    settled,
    holdOut = false,
  }: {
    readonly inputs: readonly Port[];
    readonly model?: NonNullable<DatasetContext['model']>;
    readonly settled?: SettledInputs /** Whether samples are set aside to measure errors on. */;
    readonly holdOut?: boolean;
  },
): Promise<RecipeData> {
  const seed = recipe.seed ?? 0;
  const open = (role: DataRole, source: string | DataSource) =>
    openData(source, {
      registry,
      files,
      inputs,
      ...(model ? { model } : {}),
      ...(settled ? { settled } : {}),
      seed,
      where: `data.${role}`,
      progress,
    });
  const opened = async (role: DataRole) => {
    const source = recipe.data?.[role];
    return source === undefined ? undefined : open(role, source);
  };
  const all = await opened('calibration');
  const training = await opened('training');
  const evaluation = await opened('evaluation');
  const source = recipe.data?.calibration;
  const fixed = inputs.map(({ shape }) => shape?.[0]).find((dim) => typeof dim === 'number');
  const spare =
    all && source !== undefined && holdOut && !evaluation
      ? await heldOut(source, all, { open: (other) => open('calibration', other), least: fixed ?? 1, seed })
      : undefined;
  const calibration = spare?.calibration ?? all;
  return {
    ...(spare?.heldOut ? { heldOut: spare.heldOut } : {}),
    ...(calibration ? { calibration } : {}),
    ...(training ? { training } : {}),
    ...(evaluation ? { evaluation } : {}),
  };
}
