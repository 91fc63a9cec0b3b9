import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { problem } from '@espalier/core';
import { checkRecipe, parseRecipe, type Recipe } from '@espalier/recipe';

/**
 * Reads a recipe file: YAML or JSON as data; a TypeScript or JavaScript module by its export `recipe` (or default).
 * A module is code that the caller chose to run; YAML and JSON never run anything.
 * @throws FILE_MISSING, RECIPE_SYNTAX, RECIPE_KEY, RECIPE_INVALID.
 */
export async function loadRecipe(path: string, cwd: string): Promise<Recipe> {
  const full = resolve(cwd, path);
  if (/^\.[cm]?[jt]s$/.test(extname(full))) return checkRecipe(await recipeIn(full), path);
  const text = await readFile(full, 'utf8').catch((cause) => {
    throw problem('FILE_MISSING', {
      where: path,
      expected: 'a recipe file',
      found: 'nothing readable',
      fix: 'Check --recipe.',
      cause,
    });
  });
  return parseRecipe(text, path);
}

async function recipeIn(file: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  let module: { readonly recipe?: unknown; readonly default?: unknown };
  try {
    module = await createJiti(import.meta.url).import(file);
  } catch (cause) {
    throw problem('RECIPE_SYNTAX', {
      where: file,
      expected: 'a module that can be imported',
      found: cause instanceof Error ? (cause.message.split('\n')[0] ?? cause.message) : String(cause),
      cause,
    });
  }
  return module.recipe ?? module.default;
}
