import { createRegistry } from '@espalier/core';
import { onnxExport } from '@espalier/onnx';
import { channelPruning, magnitude, weightPruning } from '@espalier/pruners';
import { expect, test } from 'vitest';
import { checkSteps } from './check-steps.js';
import { currentStep } from './current-step.js';
import type { Recipe } from './recipe.js';
import { resolvedRecipe } from './resolved-recipe.js';

const registry = createRegistry([magnitude, weightPruning, channelPruning, onnxExport]);
const recipe = (options: object): Recipe => ({
  espalier: 1,
  steps: [{ prune: { use: 'magnitude', with: { granularity: 'channel', scope: 'global', ...options } } }],
});

test('an option under its former name works, and a note names the new one', () => {
  const step = currentStep(recipe({ normalizeGroups: 'max' }), 0, registry);
  expect(step.reference).toMatchObject({ with: { granularity: 'channel', normalize: 'max' } });
  expect(step.notes.map(({ outcome, reason }) => `${outcome}: ${reason}`)).toEqual([
    'warning: The option normalizeGroups in steps[0].prune is called normalize now. The former name still works.',
  ]);
  expect(currentStep(recipe({ normalize: 'max' }), 0, registry).notes).toEqual([]);
});

test('checks and reports of recipes use the new name', () => {
  const both = recipe({ normalizeGroups: 'max', normalize: 'l2' });
  expect(() => checkSteps(both, registry)).toThrow(/prune.with.normalizeGroups: expected one name .* found both/);
  const wrong = recipe({ normalizeGroups: 'maximum' });
  expect(() => checkSteps(wrong, registry)).toThrow(/prune.with.normalize: expected one of none, mean, max, l2/);
  expect(resolvedRecipe(recipe({ normalizeGroups: 'max' }), registry)).toMatchObject({
    steps: [{ prune: { with: { normalize: 'max' } } }],
  });
});
