import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Phrases that a reader has to read twice, each with a plainer form. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [/^\s*(?:\/\*\*|\*) (?:What|How)\b(?!.*\?)/, 'a verbless fragment: begin with the noun or the verb'],
  [/\banew\b/i, 'again, or re-: recompute, refit, reinitialize'],
  [/\bheed(?:ed|s|ing)?\b/i, 'ignore, use, follow'],
  [/unless (?:it )?(?:said|told|says?|given|asked) otherwise/i, 'Default: x'],
  [/\bunless told\b/i, 'Default: x'],
  [/\bas (?:it|they) (?:was|were) written\b/i, 'as written, unchanged, unresolved'],
  [/\b(?:is|are|was|were|be) told\b(?! apart)/i, 'gets, receives, is passed'],
  [/\bof which is known\b/i, 'name the noun: units whose ...'],
  [/\bat (?:its|their) word\b/i, 'as written'],
  [/\basked for anew\b/i, 'requested again'],
  [/\bwhat becomes of\b/i, 'the effect on, the outcome of'],
  [/\bowes? to (?:it|them)\b/i, 'contribution, share'],
  [/\bturned round\b/i, 'rotated, reversed, transposed'],
  [/\bare meant\b/i, 'matter, count'],
  [/\bwhat it is made of\b/i, 'its parts'],
];

function filesUnder(folder: string, wanted: RegExp): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (['node_modules', 'dist', 'generated', 'api'].includes(entry.name)) return [];
    if (entry.isDirectory()) return filesUnder(path, wanted);
    return wanted.test(entry.name) ? [path] : [];
  });
}

const pages = ['docs', 'packages', 'apps', 'examples'].flatMap((folder) => filesUnder(folder, /^(?!CHANGELOG).*\.md$/));
const sources = ['packages', 'apps']
  .flatMap((folder) => filesUnder(folder, /^(?!.*\.test\.).*\.ts$/))
  .filter((path) => path.includes('/src/'));
const texts = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...pages, ...sources];

test('what a person reads is in plain words', () => {
  const found = texts.flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, i) =>
        phrases
          .filter(([phrase]) => phrase.test(line))
          .map(([, better]) => `${path}:${i + 1}: ${line.trim()} (better: ${better})`),
      ),
  );
  expect(found.join('\n')).toBe('');
});
