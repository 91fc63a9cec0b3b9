import { parseDocument } from 'yaml';
import { checkRecipe } from './check-recipe.js';
import { badText } from './errors.js';
import type { Recipe } from './recipe.js';

const largest = 1 << 20; // characters; a recipe is a page, not a book

/**
 * Reads a recipe from YAML or JSON text (JSON is YAML). Nothing in it is evaluated.
 * @throws RECIPE_SYNTAX with the line, RECIPE_KEY and RECIPE_INVALID with the path.
 */
export function parseRecipe(text: string, where = 'recipe'): Recipe {
  if (text.length > largest) throw badText(where, `${text.length} characters, more than ${largest}`, undefined);
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true, schema: 'core' });
  const wrong = document.errors[0];
  if (wrong) throw badText(where, wrong.message.split('\n')[0] ?? 'a syntax error', wrong);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw badText(where, 'too many aliases', cause);
  }
  return checkRecipe(value, where);
}
