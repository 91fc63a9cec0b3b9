import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** What the tests read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Target>>;
  readonly imports?: Readonly<Record<string, Target>>;
}

/** A target of `exports` or `imports`: a file, or targets by condition. */
export type Target = string | { readonly [condition: string]: Target };

/** A package of the workspace. */
export interface WorkspacePackage {
  /** Folder relative to the root: `packages/core`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** All packages and apps, sorted by folder. */
export const packages: readonly WorkspacePackage[] = ['apps', 'packages'].flatMap((parent) =>
  readdirSync(join(root, parent))
    .map((name) => `${parent}/${name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest, // ours, by form
    })),
);

/** The package of a name. */
export const packageNamed = (name: string): WorkspacePackage | undefined =>
  packages.find(({ manifest }) => manifest.name === name);

/** Source files of a package that are published: no tests. Relative to the root. */
export const sourcesOf = ({ folder }: WorkspacePackage): readonly string[] =>
  existsSync(join(root, folder, 'src'))
    ? readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
        .map((file) => `${folder}/src/${file.replaceAll('\\', '/')}`)
        .sort()
    : [];

/** Whether a package has code already; one that is only reserved so far has nothing to depend on. */
export const isWritten = (each: WorkspacePackage): boolean =>
  sourcesOf(each).some((file) => readFileSync(join(root, file), 'utf8').trim() !== 'export {};');

/** The file that a target stands for under some conditions. */
export function resolveTarget(target: Target, conditions: readonly string[]): string | undefined {
  if (typeof target === 'string') return target;
  for (const [condition, inner] of Object.entries(target)) {
    if (condition !== 'default' && !conditions.includes(condition)) continue;
    const found = resolveTarget(inner, conditions);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The TypeScript source behind an entry of `exports` or `imports`, relative to the root. */
export function sourceOf(
  { folder }: WorkspacePackage,
  target: Target,
  conditions: readonly string[],
): string | undefined {
  const file = resolveTarget(target, ['@espalier/source', ...conditions, 'import']);
  return file?.endsWith('.ts') || file?.endsWith('.tsx') ? join(folder, file) : undefined;
}
