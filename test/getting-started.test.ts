import { chmod, copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIn } from '../apps/cli/test/run-in.js';
import { modelsFolder } from './fixtures.js';
import { root } from './workspace.js';

const page = await readFile(join(root, 'docs/getting-started.md'), 'utf8');
/** The commands of the page, each with the first line of its answer where the page shows one. */
const commands = [...page.matchAll(/```sh\nespalier ([^\n]+)\n```\n(?:\n {4}([^\n]+)\n)?/g)].map(
  ([, command, answer]) => ({ args: command!.split(' '), answer }),
);
const models = {
  'resnet20.onnx': 'resnet20-cifar10.onnx',
  'bert.onnx': 'exports/dynamo/bert_cls.onnx',
  'gpt2.onnx': 'exports/legacy/gpt2.onnx',
  'wav2vec2.onnx': 'exports/legacy/wav2vec2.onnx',
  'yolos.onnx': 'exports/legacy/yolos.onnx',
};

const from = modelsFolder();
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-walk-'));
  for (const [name, path] of Object.entries(from ? models : {})) {
    await copyFile(join(from!, path), join(folder, name));
    await chmod(join(folder, name), 0o644);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('the walk has a command for each kind of model', () => {
  expect(commands.map(({ args }) => args[1])).toEqual(expect.arrayContaining(Object.keys(models)));
});

/** The part of a first line that does not depend on the machine. */
const steady = (line: string) =>
  line
    .replace(/,? [\d.]+ times as fast/, '')
    .replace(/^Output .*? dB\. /, '')
    .replace(/\.$/, '');

describe.skipIf(!from)('a new user, with models at hand (set ESPALIER_MODELS elsewhere)', () => {
  it.each(commands)('espalier $args', { timeout: 120_000 }, async ({ args, answer }) => {
    const { code, out, error } = await runIn(folder, args);
    expect(error.includes('BUG') ? error : '').toBe('');
    expect(code).toBe(0);
    if (answer !== undefined) expect(steady(out.split('\n')[0]!)).toBe(steady(answer));
    const output = args[args.indexOf('-o') + 1]!;
    if (args.includes('-o'))
      expect((await stat(join(folder, output))).size).toBeLessThan((await stat(join(folder, args[1]!))).size);
  });
});
