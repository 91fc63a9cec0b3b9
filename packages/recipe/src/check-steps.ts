import { type Reference, type Registry, resolveReference } from '@espalier/core';
import type { Recipe } from './recipe.js';
import { driverOptions, type StepKind } from './step.js';
import { type StepName, stepKinds } from './step-kinds.js';
import { referenceWithOptions } from './steps/reference-with-options.js';

/**
 * Resolves every step and the export of a recipe without running anything, so that a typing error in the last step is
 * told before the first one trains for an hour.
 * @throws what running would throw for names, options, and data that a step cannot do without.
 */
export function checkSteps(recipe: Recipe, registry: Registry): void {
  for (const [i, written] of recipe.steps.entries()) {
    const [name, reference] = Object.entries(written)[0] as [StepName, Reference]; // checkRecipe made sure of exactly one known key
    const step: StepKind = stepKinds[name];
    const { kind, check } = step;
    const where = `steps[${i}].${name}`;
    const driver = driverOptions(step, registry, { reference, where });
    const { options } = referenceWithOptions(registry, { kind, driver, reference, where, seed: recipe.seed ?? 0 });
    check?.(options, { where, recipe });
  }
  resolveReference(registry, { kind: 'export', reference: recipe.export ?? 'onnx', where: 'export' });
}
