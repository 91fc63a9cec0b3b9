import { didYouMean } from '@espalier/core';
import { checkRecipe } from '../check-recipe.js';
import { badValue, unknownKey } from '../errors.js';
import type { Recipe } from '../recipe.js';

/** One form of every model in a folder. */
export interface FolderForm {
  /** Stands between the model's name and `.onnx`. */
  readonly ending: string;
  readonly recipe: Recipe;
}

/** A folder that holds each model in several forms. */
export interface FolderRecipe {
  readonly espalier: 1;
  /** The forms to write. */
  readonly dtypes: readonly string[];
  /** Whether weights go to files beside a model: where they must (2 GB), or always. */
  readonly externalData: 'auto' | 'always';
  /** Every form by its dtype. The first one keeps all weights as they are: others are compared with its size. */
  readonly forms: Readonly<Record<string, FolderForm>>;
}

const keys = ['espalier', 'dtypes', 'externalData', 'forms'];

/**
 * Checks a folder recipe after values in it were replaced; `dtypes` may be one text, `q4,fp16`. The forms come back in
 * the order of their table. @throws RECIPE_KEY, RECIPE_INVALID.
 */
export function checkFolderRecipe(value: unknown, where: string): FolderRecipe {
  const recipe = value as Readonly<Record<string, unknown>>; // a copy of a folder recipe with some values replaced
  for (const key of Object.keys(recipe)) if (!keys.includes(key)) throw unknownKey(where, key, keys);
  const { dtypes, externalData, forms } = recipe as unknown as FolderRecipe; // each is checked below
  if (externalData !== 'auto' && externalData !== 'always') {
    throw badValue(`${where}.externalData`, 'auto or always', externalData);
  }
  const known = Object.keys(forms);
  for (const dtype of known) checkRecipe(forms[dtype]?.recipe, `${where}.forms.${dtype}.recipe`);
  const wanted: readonly unknown[] = typeof dtypes === 'string' ? String(dtypes).split(',') : dtypes;
  if (!Array.isArray(wanted) || wanted.length === 0) {
    throw badValue(`${where}.dtypes`, `a list of ${known.join(', ')}`, dtypes);
  }
  for (const dtype of wanted) {
    if (typeof dtype === 'string' && known.includes(dtype)) continue;
    throw badValue(`${where}.dtypes`, `${didYouMean(String(dtype), known)}One of ${known.join(', ')}`, dtype);
  }
  return { espalier: 1, dtypes: known.filter((dtype) => wanted.includes(dtype)), externalData, forms };
}
