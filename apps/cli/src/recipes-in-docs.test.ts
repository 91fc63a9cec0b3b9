import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readReference, resolveReference } from '@espalier/core';
import { driverOptions, parseRecipe, resolvedRecipe, type StepKind, stepKinds } from '@espalier/recipe';
import { registry } from 'espalier';
import { describe, expect, it } from 'vitest';

const page = readFileSync(fileURLToPath(new URL('../../../docs/command-line.md', import.meta.url)), 'utf8');
const recipes = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1]!);

describe('the recipes of the page about the command line', () => {
  it.each(recipes.map((text, i) => [i, text] as const))('number %d resolves in the registry', (_, text) => {
    const recipe = parseRecipe(text);
    expect(resolvedRecipe(recipe, registry)).toMatchObject({ espalier: 1 });
    for (const written of recipe.steps) {
      for (const [name, reference] of Object.entries(written)) {
        const step: StepKind = stepKinds[name as keyof typeof stepKinds]; // parsed: the keys are known
        const driver = driverOptions(step, registry, { reference, where: name });
        const { use, given } = readReference(reference, name);
        const own = Object.fromEntries(Object.entries(given).filter(([key]) => !Object.hasOwn(driver, key)));
        expect(() =>
          resolveReference(registry, { kind: step.kind, reference: { use, with: own }, where: name }),
        ).not.toThrow();
      }
    }
  });

  it('are more than one', () => expect(recipes.length).toBeGreaterThan(3));
});
