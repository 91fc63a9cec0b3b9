import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './workspace.js';

const run = promisify(execFile);

const examples = ['dense', 'gate', 'rows', 'ternary'].map((name) => `examples/plugin-${name}`);
/** What the examples depend on; the second is built after the first. */
const packages = ['packages/core', 'packages/ops'];

/**
 * Packs the example plugins and the packages they depend on into a folder, building those first where they are not.
 * Installed together they need no network: `npm install --offline --ignore-scripts *.tgz`. Returns the tarballs.
 */
export async function packPlugins(folder: string): Promise<readonly string[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-b', ...packages.map((path) => join(root, path))]);
  const tarballs: string[] = [];
  for (const path of [...packages, ...examples]) tarballs.push(await pack(join(root, path), folder));
  return tarballs;
}

/** Packs a package as `pnpm pack` does: what it needs of the workspace becomes a range of versions. */
async function pack(from: string, folder: string): Promise<string> {
  const stage = join(folder, 'stage', basename(from));
  await mkdir(stage, { recursive: true });
  await cp(from, stage, { recursive: true, filter: (path) => !path.includes('node_modules') });
  const manifest = join(stage, 'package.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replaceAll('workspace:^', '^0.0.0'));
  const args = ['pack', stage, '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: folder, shell: process.platform === 'win32' });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]; // what npm prints
  return join(folder, filename.replace(/^@/, '').replace('/', '-')); // npm 8 prints the scope as it stands
}
