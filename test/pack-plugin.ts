import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './workspace.js';

const run = promisify(execFile);

/** Tarballs as a registry would hold them. */
export interface PackedPlugin {
  /** Path of the tarball of the example of a quantizer. */
  readonly plugin: string;
  /** Path of the tarball of the example of an axis rule. */
  readonly gate: string;
  /** Path of the tarball of `@espalier/core`, their one dependency. */
  readonly core: string;
}

/**
 * Packs the example plugins and core into a folder, building core first where it is not. Installed together they need
 * no network: `npm install --offline --ignore-scripts CORE.tgz PLUGIN.tgz`.
 */
export async function packPlugin(folder: string): Promise<PackedPlugin> {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'packages/core')]);
  return {
    plugin: await pack(join(root, 'examples/plugin-ternary'), folder),
    gate: await pack(join(root, 'examples/plugin-gate'), folder),
    core: await pack(join(root, 'packages/core'), folder),
  };
}

// Neither manifest needs pnpm to rewrite it: core has no dependencies, and the plugins are no part of the workspace.
async function pack(from: string, folder: string): Promise<string> {
  const args = ['pack', from, '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: folder, shell: process.platform === 'win32' });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]; // what npm prints
  return join(folder, filename.replace(/^@/, '').replace('/', '-')); // npm 8 prints the scope as it stands
}
