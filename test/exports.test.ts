import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { programOf } from './program-of.js';
import { packages, root, sourceOf, type WorkspacePackage } from './workspace.js';

const entries = packages.flatMap((each) =>
  Object.entries(each.manifest.exports).flatMap(([path, target]) => {
    const file = sourceOf(each, target, ['node']);
    return file === undefined ? [] : [{ each, path, file: join(root, file) }];
  }),
);
const program = programOf(entries.map(({ file }) => file));
const checker = program.getTypeChecker();

/** The exported names of a file, one a line, types marked as such. */
function exportsOf(file: string): readonly string[] {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) return [];
  return checker
    .getExportsOfModule(module)
    .map((symbol) => {
      const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return `${real.flags & ts.SymbolFlags.Value ? '' : 'type '}${symbol.name}`;
    })
    .sort();
}

const listed = ({ folder }: WorkspacePackage): string =>
  entries
    .filter(({ each }) => each.folder === folder)
    .flatMap(({ path, file }) => [`${path}`, ...exportsOf(file).map((line) => `  ${line}`)])
    .join('\n');

describe('the exports of', () => {
  it.each(packages.map((each) => [each.manifest.name, each] as const))(
    '%s are the listed ones, no more and no fewer',
    async (_, each) => {
      await expect(`${listed(each)}\n`).toMatchFileSnapshot(`exports/${each.folder.replace('/', '-')}.txt`);
    },
  );
});
