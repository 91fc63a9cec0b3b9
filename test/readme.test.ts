import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { programOf } from './program-of.js';
import { packages, root } from './workspace.js';

const pages = [
  'README.md',
  ...packages.map(({ folder }) => `${folder}/README.md`),
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
].filter((page) => existsSync(join(root, page)));

interface Block {
  readonly name: string;
  readonly file: string;
}

// Every block becomes a module of its own, in a folder from which the packages of the workspace are found.
const folder = join(root, '.cache/readme');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const blocks: readonly Block[] = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    const file = join(folder, `${page.replaceAll(/[^a-z0-9]/gi, '-')}-${line}.ts`);
    writeFileSync(file, `${match[1]}\nexport {};\n`);
    return { name: `${page}:${line}`, file };
  });
});

describe('the examples in', () => {
  it.each(blocks.map((block) => [block.name, block] as const))('%s run', async (_, { file }) => {
    await import(/* @vite-ignore */ file);
  });

  it('all pages have the right types', () => {
    // An example may leave unused what it is about.
    const program = programOf(
      blocks.map(({ file }) => file),
      { noUnusedLocals: false },
    );
    const problems = blocks.flatMap(({ name, file }) =>
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(file))
        .map((each) => `${name}: ${ts.flattenDiagnosticMessageText(each.messageText, ' ')}`),
    );
    expect(problems).toEqual([]);
  });
});

describe('the page of', () => {
  const headings = ['What is this', 'When to use it', 'Install', 'Use', 'API', 'Examples', 'Limits'];

  it.each(pages.filter((page) => page.startsWith('packages/')))('%s has the same headings as the others', (page) => {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
    expect([...text.matchAll(/^## (.*)$/gm)].map((match) => match[1])).toEqual(headings);
  });
});
