import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { describeQuantizer, runKit } from '@espalier/testing';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { plugins, ternary } from '../examples/plugin-ternary/index.js';
import { packPlugin } from './pack-plugin.js';
import { programOf } from './program-of.js';
import { root } from './workspace.js';

const run = promisify(execFile);
const folder = join(root, 'examples/plugin-ternary');
const executor = createOnnxRuntime({ threads: 1 });
afterAll(() => executor.close());

describe('the example of a third-party plugin', () => {
  runKit(describeQuantizer(ternary, { executor, leastSnrDb: 1 }), { describe, it });

  it('has the types that its declarations say', () => {
    const files = ['index.d.ts', 'index.js', 'ternary.js', 'ternarize.js', 'ternary.test.js'].map((name) =>
      join(folder, name),
    );
    const program = programOf(files, { allowJs: true, checkJs: true, noUncheckedIndexedAccess: false });
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map((each) => ts.flattenDiagnosticMessageText(each.messageText, ' '));
    expect(problems).toEqual([]);
    expect(plugins.map(({ kind, id }) => `${kind} ${id}`)).toEqual(['quantizer ternary']);
  });

  it('passes its own tests', async () => {
    const args = ['--import', 'tsx', '--conditions=@espalier/source', '--test', join(folder, 'ternary.test.js')];
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { stdout } = await run(process.execPath, args, { cwd: root, env });
    expect(stdout).toMatch(/# pass 6\n/);
    expect(stdout).toMatch(/# fail 0\n/);
  });
});

describe('the packed plugin', () => {
  it('is found from its tarball, with nothing but core beside it', async () => {
    const project = await mkdtemp(join(tmpdir(), 'espalier-plugin-'));
    try {
      const { plugin, core } = await packPlugin(project);
      await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
      const install = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', core, plugin];
      await run('npm', install, { cwd: project });
      const script = `import { plugins } from '@acme/espalier-ternary'; console.log(plugins[0]().needs().length, plugins[0].id);`;
      const { NODE_OPTIONS: _, ...env } = process.env;
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project, env });
      expect(stdout).toBe('0 ternary\n');
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  });
});
