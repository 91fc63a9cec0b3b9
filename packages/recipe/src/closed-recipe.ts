import { type Registry, readReference } from '@espalier/core';
import type { Recipe } from './recipe.js';

/**
 * The recipe with the step `quantize: integers` at its end where quantizers would still be learned by then: no runtime
 * reads a file that has them.
 */
export function closedRecipe(recipe: Recipe, registry: Registry): Recipe {
  const used = recipe.steps.flatMap((step, i) =>
    'quantize' in step ? [readReference(step.quantize, `steps[${i}].quantize`).use] : [],
  );
  const open = used.lastIndexOf('learned') > used.lastIndexOf('integers');
  if (!open || !registry.ids('quantizer').includes('integers')) return recipe;
  return { ...recipe, steps: [...recipe.steps, { quantize: 'integers' }] };
}
