import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
let folder = '';

/** The package `espalier` as npm installs it, as far as its command goes, in an empty project. */
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'espalier-bin-')));
  const own = join(folder, 'node_modules/espalier');
  await mkdir(join(own, 'dist'), { recursive: true });
  const source = await readFile(new URL('bin.ts', import.meta.url), 'utf8');
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  await writeFile(join(own, 'dist/bin.js'), ts.transpile(source, options));
  await writeFile(join(own, 'package.json'), JSON.stringify({ name: 'espalier', version: '1.2.3', type: 'module' }));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const espalier = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, [join(folder, 'node_modules/espalier/dist/bin.js'), ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
  });

describe('the command of the package espalier', () => {
  it('runs the command line that is installed beside it', async () => {
    const cli = join(folder, 'node_modules/@espalier/cli');
    await mkdir(cli, { recursive: true });
    await writeFile(join(cli, 'main.js'), "console.log(process.argv.slice(2).join(' '));");
    const manifest = { name: '@espalier/cli', type: 'module', exports: { './main': { default: './main.js' } } };
    await writeFile(join(cli, 'package.json'), JSON.stringify(manifest));
    expect((await espalier(['compress', 'm.onnx'])).stdout).toBe('compress m.onnx\n');
  });

  it('has npm fetch the command line of its own version, without CUDA, and passes its exit code on', async () => {
    const npm = join(folder, 'npm-cli.js');
    const shown = 'console.log(process.argv.slice(2).join(" "), process.env.ONNXRUNTIME_NODE_INSTALL);process.exit(2)';
    await writeFile(npm, shown);
    const failed: { readonly code: number; readonly stdout: string; readonly stderr: string } = await espalier(
      ['inspect', 'm.onnx'],
      { npm_execpath: npm },
    ).then(
      () => expect.unreachable(),
      (error) => error,
    );
    expect(failed.code).toBe(2);
    expect(failed.stdout).toMatch(/^exec --yes --package=@espalier\/cli@1\.2\.3 -- espalier inspect m\.onnx skip\n/);
    expect(failed.stderr).toContain('ONNXRUNTIME_NODE_INSTALL=skip npm install @espalier/cli');
  });
});
