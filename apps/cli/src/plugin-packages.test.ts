import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildGraph, floats } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from './command-line.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-plugins-'));
  const b = buildGraph();
  b.output(
    b.add('MatMul', [b.input('x', 'float32', ['batch', 2]), b.constant('w', floats([1, 2, 3, 4], [2, 2]))]),
    'y',
  );
  b.info('y', { dtype: 'float32', shape: ['batch', 2] });
  await writeFile(join(folder, 'net.onnx'), Buffer.concat(encodeOnnx(b.finish())));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the command line in the folder of the test. */
async function run(...args: readonly string[]) {
  let [out, error] = ['', ''];
  const code = await runCommandLine(args, {
    cwd: folder,
    environment: {},
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
    },
    terminal: false,
    interrupted: () => false,
  });
  return { code, out, error };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** A module of one plugin, in plain JavaScript without any import. */
const moduleOf = (id: string, { kind = 'pass', create = '() => (graph) => graph', options = '{}' } = {}) =>
  `const facts = { kind: '${kind}', id: '${id}', about: 'One of a test.', options: ${options} };\nexport const plugins = [Object.assign(${create}, facts)];\n`;
const ids = async (...flags: readonly string[]) => {
  const { code, out, error } = await run('plugins', '--json', '--quiet', ...flags);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return (JSON.parse(out) as readonly { id: string }[]).map(({ id }) => id).filter((id) => id.includes('/'));
};

describe('--plugin', () => {
  it('takes packages of one namespace together', async () => {
    for (const name of ['one', 'two']) {
      await write(
        `node_modules/@acme/espalier-${name}/package.json`,
        `{ "name": "@acme/espalier-${name}", "type": "module", "exports": "./index.js" }`,
      );
      await write(`node_modules/@acme/espalier-${name}/index.js`, moduleOf(name));
    }
    expect(await ids('--plugin', '@acme/espalier-one', '--plugin', '@acme/espalier-two')).toEqual([
      'acme/one',
      'acme/two',
    ]);
    expect(await ids('--plugin', '@acme/espalier-one', '--plugin', '@acme/espalier-one')).toEqual(['acme/one']);
  });

  it('takes a file with or without ./ in front, TypeScript too, and a folder', async () => {
    await write('dist/index.js', moduleOf('built'));
    await write('package.json', '{ "name": "espalier-here", "type": "module", "exports": "./dist/index.js" }');
    expect(await ids('--plugin', 'dist/index.js')).toEqual(['here/built']);
    expect(await ids('--plugin', './dist/index.js')).toEqual(['here/built']);
    expect(await ids('--plugin', '.')).toEqual(['here/built']);
    await write('typed.ts', `const kind: string = 'pass';\n${moduleOf('typed').replace("kind: 'pass'", 'kind')}`);
    expect(await ids('--plugin', 'typed.ts')).toEqual(['typed/typed']);
    await rm(join(folder, 'package.json'));
  });

  it('takes the namespace that the user gives', async () => {
    await write('mine.js', moduleOf('one'));
    expect(await ids('--plugin', 'mine.js', '--plugin', 'other=./mine.js')).toEqual(['mine/one', 'other/one']);
  });

  it('refuses two plugins of one kind and name', async () => {
    await write('a/mine.js', moduleOf('one'));
    await write('b/mine.js', moduleOf('one'));
    const { code, error } = await run('plugins', '--plugin', 'a/mine.js', '--plugin', 'b/mine.js');
    expect(code).toBe(1);
    expect(error).toMatch(
      /^PLUGIN_DUPLICATE: --plugin b\/mine\.js: registry: .*found two for pass:mine\/one.*--plugin NAMESPACE=PACKAGE/,
    );
  });

  it.each([
    [
      'nothing.js',
      '',
      /PLUGIN_PACKAGE: --plugin nothing\.js: expected a package or file that can be imported from .*Install it there, or correct its name/,
    ],
    ['./nothing.js', '', /PLUGIN_PACKAGE: --plugin \.\/nothing\.js: .*found nothing to load at .*Correct the path/],
    [
      'throws.js',
      'const a = undefined;\na.config;\n',
      /PLUGIN_PACKAGE: --plugin throws\.js \(.*throws\.js\): expected a module that loads, found TypeError: .*config.*its code failed/,
    ],
    ['empty.js', 'export const plugin = 1;\n', /found exports plugin\. See docs/],
    ['wrong.js', 'export const plugins = [1];\n', /found something else in plugins\[0\]/],
    [
      'kind.js',
      moduleOf('x', { kind: 'quantiser' }),
      /PLUGIN_INVALID: --plugin kind\.js, plugin "x": .*found kind "quantiser"\. Did you mean "quantizer"/,
    ],
    [
      'choice.js',
      moduleOf('x', { options: "{ mode: { type: 'choice', values: ['a'], about: 'mode' } }" }),
      /PLUGIN_INVALID: --plugin choice\.js: pass x, option mode: .*found "values"\. The choices belong in "of"/,
    ],
  ])('says what is wrong with %s', async (name, text, message) => {
    if (text) await write(name, text);
    const { code, error } = await run('plugins', '--plugin', name);
    expect(error).toMatch(message);
    expect(code).toBe(1);
  });
});

describe('a plugin that fails', () => {
  const compress = async (plugin: string, step: string) => {
    await write('recipe.yaml', `espalier: 1\nplugins: { mine: ${plugin} }\nsteps:\n  - ${step}\n`);
    return run('compress', 'net.onnx', '-o', 'out.onnx', '--recipe', 'recipe.yaml', '--quiet');
  };

  it('is named with its step, module and line, and is no fault of Espalier', async () => {
    await write('fails.js', moduleOf('fails', { create: "() => () => {\n  throw new TypeError('no');\n}" }));
    const { code, error } = await compress('./fails.js', 'pass: mine/fails');
    expect(error).toMatch(
      /^PLUGIN_FAULT: steps\[0\]\.pass, plugin package "\.\/fails\.js" \(namespace mine\): .*found TypeError: no( \(fails\.js:\d+:\d+\))?\. Correct the plugin/,
    );
    expect(code).toBe(1);
  });

  it('is named when what it returned is wrong', async () => {
    await write('returns.js', moduleOf('returns', { kind: 'quantizer', create: '() => undefined' }));
    const { code, error } = await compress('./returns.js', 'quantize: mine/returns');
    expect(error).toMatch(/^PLUGIN_FAULT: steps\[0\]\.quantize, plugin package "\.\/returns\.js" .*is not a function/);
    expect(code).toBe(1);
  });

  it('is named when no step names it', async () => {
    await write(
      'rule.js',
      moduleOf('Gemm', { kind: 'axes', create: "() => ({ relate() { throw new Error('no rule'); } })" }),
    );
    const { code, error } = await run('inspect', 'net.onnx', '--groups', '--quiet', '--plugin', 'rule.js');
    expect(error).toMatch(/^PLUGIN_FAULT: .*rule\.js.*found Error: no rule/);
    expect(code).toBe(1);
  });
});

describe('plugins ID', () => {
  it('shows every kind that has the id', async () => {
    const { out } = await run('plugins', 'mse', '--quiet');
    expect(out.match(/^(\w+) mse:/gm)).toEqual(['observer mse:', 'loss mse:']);
  });

  it('names the plugins of a near spelling, with their kinds', async () => {
    expect((await run('plugins', 'statc')).error).toMatch(
      /^PLUGIN_UNKNOWN: plugins: expected the id of a plugin, found "statc"\. Did you mean "static" \(quantizer\)\?/,
    );
    expect((await run('plugins', 'zzzzzzzz')).error).toMatch(/found "zzzzzzzz"\. `espalier plugins` lists all/);
  });
});
