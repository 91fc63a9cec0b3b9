import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSteps, parseRecipe } from '@espalier/recipe';
import { registry } from 'espalier';
import { describe, expect, it } from 'vitest';
import { packages, root } from './workspace.js';

const pages = [
  'README.md',
  ...packages.map(({ folder }) => `${folder}/README.md`),
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];
const recipes = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].flatMap((match) => {
    const name = `${page}:${text.slice(0, match.index).split('\n').length}`;
    const own = match[1]!.includes('espalier: 1') && !match[1]!.includes('\nplugins:'); // those are not installed here
    return own ? [[name, match[1]!] as const] : [];
  });
});

describe('the recipe in', () => {
  it.each(recipes)('%s has steps and options that exist', (name, text) => {
    const recipe = parseRecipe(text, name);
    expect(recipe.steps.length).toBeGreaterThan(0);
    checkSteps(recipe, registry);
  });
});
