import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('.', import.meta.url));
const built = join(source, '../dist/main.js');

/** The packages that a module and the modules that it imports statically load; types are not loaded. */
function loadedBy(file: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  return tree.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) || statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
      return [];
    const name = (statement.moduleSpecifier as ts.StringLiteral).text; // import declarations have no other specifier
    return name.startsWith('.') ? loadedBy(join(dirname(file), name.replace(/\.js$/, '.ts')), seen) : [name];
  });
}

describe('the start of the command line', () => {
  it('loads no algorithm before it knows which verb runs', () => {
    const packages = [...new Set(loadedBy(join(source, 'main.ts')))].filter((name) => !name.startsWith('node:'));
    expect(packages).toEqual(['commander']);
  });

  it.skipIf(!existsSync(built))(
    'takes less than a second for --version and --help (skipped where nothing is built)',
    () => {
      for (const flag of ['--version', '--help']) {
        const times = [1, 2, 3].map(() => {
          const start = performance.now();
          execFileSync(process.execPath, [built, flag]);
          return performance.now() - start;
        });
        expect(Math.min(...times)).toBeLessThan(1000);
      }
    },
  );
});
