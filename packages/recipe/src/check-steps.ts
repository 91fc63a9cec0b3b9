import { type Registry, resolveReference } from '@espalier/core';
import { currentStep } from './current-step.js';
import type { Recipe } from './recipe.js';
import { driverOptions } from './step.js';
import { referenceWithOptions } from './steps/reference-with-options.js';

/**
 * Resolves every step and the export of a recipe without running anything, so that a typing error in the last step is
 * found before the first one trains for an hour.
 * @throws what running would throw for names, options, and data that a step cannot do without.
 */
export function checkSteps(recipe: Recipe, registry: Registry): void {
  for (const i of recipe.steps.keys()) {
    const { kind: step, reference, where } = currentStep(recipe, i, registry);
    const { kind, check } = step;
    const driver = driverOptions(step, registry, { reference, where });
    referenceWithOptions(registry, { kind, driver, reference, where, seed: recipe.seed ?? 0 });
    check?.({ where, recipe });
  }
  resolveReference(registry, { kind: 'export', reference: recipe.export ?? 'onnx', where: 'export' });
}
