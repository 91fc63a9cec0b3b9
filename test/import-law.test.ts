import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { isWritten, packageNamed, packages, root, sourceOf, sourcesOf, type WorkspacePackage } from './workspace.js';

/** Imports point up this table only; packages on one line do not import each other. */
const levels: readonly (readonly string[])[] = [
  ['@espalier/core'],
  ['@espalier/ops'],
  ['@espalier/passes'],
  ['@espalier/onnx', '@espalier/tfjs', '@espalier/tflite', '@espalier/keras', '@espalier/safetensors'],
  ['@espalier/tensor', '@espalier/onnxruntime'],
  ['@espalier/autodiff'],
  ['@espalier/calibration'],
  ['@espalier/quantizers', '@espalier/pruners', '@espalier/schedules'],
  ['@espalier/bounds'],
  ['@espalier/analysis'],
  ['@espalier/training'],
  ['@espalier/joint'],
  ['@espalier/datasets', '@espalier/zoo'],
  ['@espalier/recipe'],
  ['@espalier/testing'],
  ['espalier'],
  ['@espalier/cli', '@espalier/playground'],
];

/** Dependencies that are never imported, and why they are there all the same. */
const notImported: Readonly<Record<string, string>> = {
  '@espalier/cli: onnxruntime-node': 'installs the runtime that @espalier/onnxruntime finds as its optional peer',
};

/** Types that contain each other: a node has attributes, and an attribute may be a graph. */
const recursiveTypes = ['packages/core/src/attribute.ts, packages/core/src/graph.ts'];

/** Packages that run graphs. */
const runtimes: readonly string[] = ['@espalier/tensor', '@espalier/onnxruntime'];

/** Libraries that one package keeps to itself. */
const quarantined: readonly (readonly [library: RegExp, owner: string])[] = [
  [/^onnxruntime-/, '@espalier/onnxruntime'],
  [/^@tensorflow\//, '@espalier/tensor'],
];

const written = packages.filter(isWritten).map((each) => [each.manifest.name, each] as const);

interface Import {
  readonly file: string;
  readonly name: string;
}

const importsIn = (file: string): readonly string[] =>
  ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName);
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const bareImports = (each: WorkspacePackage): readonly Import[] =>
  sourcesOf(each).flatMap((file) =>
    importsIn(file)
      .filter((name) => !name.startsWith('.') && !name.startsWith('#'))
      .map((name) => ({ file, name })),
  );
const levelOf = (name: string): number => levels.findIndex((names) => names.includes(name));

describe('the import law', () => {
  it('has a place for every package', () => {
    expect(packages.map(({ manifest }) => manifest.name).filter((name) => levelOf(name) < 0)).toEqual([]);
  });

  it('lets imports point up the table only', () => {
    const wrong = packages.flatMap((each) =>
      bareImports(each)
        .filter(({ name }) => packageNamed(packageOf(name)))
        .filter(({ name }) => {
          const target = packageOf(name);
          return levelOf(target) >= levelOf(each.manifest.name) || target === '@espalier/testing';
        })
        .map(({ file, name }) => `${file} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('lets algorithms know a runtime as a table only', () => {
    const wrong = packages
      .filter(({ manifest: { name } }) => levelOf(name) > levelOf(runtimes[0]!) && levelOf(name) < levelOf('espalier'))
      .filter(({ manifest: { name } }) => name !== '@espalier/testing')
      .flatMap((each) =>
        bareImports(each)
          .filter(({ name }) => runtimes.includes(packageOf(name)) && !name.endsWith('/target'))
          .map(({ file, name }) => `${file} imports ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  it('keeps the table of a runtime free of the runtime', () => {
    const wrong = packages
      .flatMap((each) => {
        const table = each.manifest.exports['./target'];
        return (table && sourceOf(each, table, [])) ?? [];
      })
      .flatMap((file) => importsIn(file).filter((name) => name !== '@espalier/core'));
    expect(wrong).toEqual([]);
  });

  it('keeps big libraries in one package each', () => {
    const wrong = packages.flatMap((each) =>
      bareImports(each)
        .filter(({ name }) =>
          quarantined.some(([library, owner]) => library.test(name) && owner !== each.manifest.name),
        )
        .map(({ file, name }) => `${file} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(written)('%s depends on what it imports, exactly', (name, each) => {
    const { dependencies = {}, peerDependencies = {} } = each.manifest;
    const declared = [...Object.keys(dependencies), ...Object.keys(peerDependencies)].filter(
      (dependency) => !notImported[`${name}: ${dependency}`],
    );
    const imported = new Set(bareImports(each).map((found) => packageOf(found.name)));
    const libraries = [...imported].filter((library) => !library.startsWith('node:'));
    expect(declared.sort()).toEqual(libraries.sort());
  });

  it.each(written)('%s is compiled after what it imports', (_, each) => {
    const config = ts.readConfigFile(join(root, each.folder, 'tsconfig.json'), (file) => readFileSync(file, 'utf8'));
    const references = (config.config as { references?: { path: string }[] }).references ?? []; // ours, by form
    const wanted = Object.keys(each.manifest.dependencies ?? {}).flatMap((name) => packageNamed(name)?.folder ?? []);
    expect(references.map(({ path }) => join(each.folder, path)).sort()).toEqual([...wanted].sort());
  });

  it('lets no files of a package import each other in a circle', () => {
    expect(packages.flatMap(circlesIn)).toEqual(recursiveTypes);
  });

  it('keeps Node out of what a browser loads', () => {
    const wrong = packages.filter(({ folder }) => folder !== 'apps/cli').flatMap(browserProblems);
    expect(wrong).toEqual([]);
  });

  it('is pictured in ARCHITECTURE.md (UPDATE=1 draws it anew)', () => {
    const file = join(root, 'ARCHITECTURE.md');
    const text = readFileSync(file, 'utf8');
    const drawn = text.replace(
      /(<!-- packages:begin[^>]*-->\n)[\s\S]*?(<!-- packages:end -->)/,
      (_, begin: string, end: string) => `${begin}${picture()}${end}`,
    );
    expect(text).toContain('<!-- packages:begin');
    if (process.env.UPDATE) writeFileSync(file, drawn);
    else expect(text).toBe(drawn);
  });
});

/** Files that a browser reaches from the package's entries and that import what only Node has. */
function browserProblems(each: WorkspacePackage): readonly string[] {
  const { exports, imports = {} } = each.manifest;
  const entries = Object.entries(exports).filter(([path]) => path !== './node' && !path.startsWith('./node/'));
  const waiting = entries.flatMap(([, target]) => sourceOf(each, target, ['browser']) ?? []);
  const seen = new Set(waiting);
  const wrong: string[] = [];
  for (const file of seen) {
    for (const name of importsIn(file)) {
      if (name.startsWith('node:') || name.endsWith('/node')) wrong.push(`${file} imports ${name}`);
      const target = imports[name];
      if (target !== undefined) seen.add(sourceOf(each, target, ['browser'])!);
      if (name.startsWith('.')) seen.add(join(dirname(file), name.replace(/\.js$/, '.ts')));
    }
  }
  return wrong;
}

/** Groups of files that reach each other by relative imports, types included (Tarjan 1972). */
function circlesIn(each: WorkspacePackage): readonly string[] {
  const files = sourcesOf(each);
  const targets = new Map(
    files.map((file) => [
      file,
      importsIn(file).flatMap((name) =>
        name.startsWith('.') ? [join(dirname(file), name.replace(/\.js$/, '.ts'))] : [],
      ),
    ]),
  );
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[] = [];
  const visit = (file: string): number => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    stack.push(file);
    for (const next of targets.get(file) ?? []) {
      const reached = order.has(next)
        ? stack.includes(next)
          ? order.get(next)!
          : Number.POSITIVE_INFINITY
        : visit(next);
      lowest.set(file, Math.min(lowest.get(file)!, reached));
    }
    if (lowest.get(file) === order.get(file)) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1) circles.push(group.sort().join(', '));
    }
    return lowest.get(file)!;
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return circles;
}

/** Who imports whom, as a mermaid diagram; an arrow that others already imply is left out. */
function picture(): string {
  const short = (name: string) => name.replace('@espalier/', '');
  const direct = new Map(
    packages.map((each) => {
      const names = new Set(bareImports(each).map(({ name }) => packageOf(name)));
      return [each.manifest.name, [...names].filter((name) => packageNamed(name))] as const;
    }),
  );
  const reaches = (from: string, to: string): boolean =>
    (direct.get(from) ?? []).some((next) => next === to || reaches(next, to));
  const order = levels.flat().filter((name) => direct.has(name));
  const arrows = order.flatMap((from) => {
    const targets = direct.get(from) ?? [];
    return order
      .filter((to) => targets.includes(to) && !targets.some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${short(from)} --> ${short(to)}`);
  });
  const alone = order.filter((name) => !arrows.some((arrow) => arrow.split(/\s+/).includes(short(name))));
  return ['```mermaid', 'graph BT', ...alone.map((name) => `  ${short(name)}`), ...arrows, '```', ''].join('\n');
}
