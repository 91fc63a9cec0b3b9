import { checkRecipe, type Recipe, setInRecipe } from '@espalier/recipe';
import type { Command } from 'commander';
import { dataSource } from './data-source.js';
import { collect, type DataFlags, numberFlag, preprocessOf, type SharedFlags, type TrainingFlags } from './flags.js';

/** Flags that change a recipe. */
export interface RecipeFlags extends Pick<SharedFlags, 'seed'>, DataFlags, Pick<TrainingFlags, 'training'> {
  readonly set: readonly string[];
  readonly calibration?: string;
}

/** Adds the flag for single values of the recipe to a verb. */
export const withSetFlag = (command: Command, example: string): Command =>
  command.option('--set <path=value>', `change the recipe: ${example} (repeatable)`, collect, []);

/** A recipe as written, with what the flags change in it. @throws FLAG_INVALID, DATA_SPEC, RECIPE_KEY, RECIPE_INVALID. */
export const changedRecipe = (written: Recipe, where: string, flags: RecipeFlags): Recipe =>
  withFlags(checkRecipe(flags.set.reduce<unknown>(setInRecipe, written), where), flags);

/** The recipe with the data and the seed of the flags, which win. @throws FLAG_INVALID, DATA_SPEC. */
export function withFlags(recipe: Recipe, flags: RecipeFlags): Recipe {
  const preprocess = preprocessOf(flags);
  const seed = numberFlag('--seed', flags.seed, { min: 0, integer: true });
  const specs = { evaluation: flags.data, calibration: flags.calibration, training: flags.training };
  const given = Object.entries(specs).flatMap(([role, spec]) =>
    spec === undefined ? [] : [[role, dataSource(`--${role === 'evaluation' ? 'data' : role}`, spec, preprocess)]],
  );
  const data = { ...recipe.data, ...Object.fromEntries(given) };
  return {
    ...recipe,
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(seed === undefined ? {} : { seed }),
  };
}
