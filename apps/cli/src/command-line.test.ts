import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGraph, createRandom, floats, int, ints } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import type { GroupRow } from '@espalier/pruners';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelsFolder } from '../../../test/fixtures.js';
import { runCommandLine } from './command-line.js';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-cli-'));
  await writeFile(join(folder, 'net.onnx'), Buffer.concat(encodeOnnx(network())));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Conv, Relu, global pool, Gemm on colour images of any size: small, but every verb has work to do. */
function network() {
  const random = createRandom(3);
  const normal = (shape: readonly number[], scale: number) =>
    floats(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
      shape,
    );
  const b = buildGraph();
  const x = b.input('image', 'float32', ['batch', 3, 16, 16]);
  const conv = b.add('Conv', [x, b.constant('w1', normal([16, 3, 3, 3], 0.3)), b.constant('b1', normal([16], 0.1))], {
    name: 'conv',
    attributes: { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) },
  });
  const pooled = b.add('Flatten', [b.add('GlobalAveragePool', [b.add('Relu', [conv])])], {
    attributes: { axis: int(1) },
  });
  const scores = b.add('Gemm', [pooled, b.constant('w2', normal([10, 16], 1)), b.constant('b2', normal([10], 0.1))], {
    name: 'scores',
    attributes: { transB: int(1) },
  });
  b.info(scores, { dtype: 'float32', shape: ['batch', 10] });
  b.output(scores);
  return b.finish();
}

const run = (...args: readonly string[]) => runWith(() => false, args);

async function runWith(interrupted: () => boolean, args: readonly string[]) {
  let out = '';
  let error = '';
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
    interrupted,
  });
  return { code, out, error };
}

interface Widths {
  readonly before: { readonly weightShape: readonly number[] };
  readonly after: { readonly weightShape: readonly number[] };
}

const json = async (...args: readonly string[]) => {
  const { code, out, error } = await run(...args, '--json', '--quiet');
  expect({ code, error }).toEqual({ code: 0, error: '' });
  return JSON.parse(out);
};

describe('exit codes', () => {
  it('are 0 for help and version', async () => {
    const help = await run('--help');
    expect(help.code).toBe(0);
    expect(help.out).toMatch(/inspect .*\n[\s\S]*compress/);
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('are 2 for usage, with the nearest verb', async () => {
    const { code, error } = await run('comprss');
    expect(code).toBe(2);
    expect(error).toMatch(/Did you mean compress/);
    expect((await run('compress', 'net.onnx', '--preset', 'int8')).code).toBe(2);
  });

  it('are 1 for bad input, which is named with a code', async () => {
    const missing = await run('inspect', 'nothing.onnx');
    expect(missing.code).toBe(1);
    expect(missing.error).toMatch(/^read\nFILE_MISSING: nothing.onnx: expected a file, found nothing/);
    await writeFile(join(folder, 'text.onnx'), 'this is no model');
    expect((await run('inspect', 'text.onnx')).error).toMatch(/MODEL_FORMAT: text.onnx|ONNX_/);
    const preset = await run('compress', 'net.onnx', '-o', 'a.onnx', '--preset', 'int9');
    expect(preset.error).toMatch(/PRESET_UNKNOWN: preset "int9".*Did you mean "int8"/);
    const output = await run('compress', 'net.onnx', '-o', 'net.onnx', '--preset', 'fp16', '--quiet');
    expect(output.error).toMatch(/^OUTPUT_REFUSED: output net.onnx: expected another file than the input/);
    expect((await run('evaluate', 'net.onnx', '--data', 'fashion-minst', '--quiet')).error).toMatch(
      /Did you mean "fashion-mnist"/,
    );
  });
});

describe('inspect', () => {
  it('prints the documented JSON', async () => {
    const found = await json('inspect', 'net.onnx');
    expect(found).toMatchObject({
      format: 'onnx',
      opset: 17,
      inputs: [{ name: 'image', dtype: 'float32', shape: ['batch', 3, 16, 16] }],
      outputs: [{ name: 'scores', dtype: 'float32', shape: ['batch', 10] }],
      nodes: 5,
      parameters: 16 * 27 + 16 + 160 + 10,
      macs: 16 * 27 * 256 + 160,
      ops: { Conv: 1, Gemm: 1 },
    });
    expect(found.layers).toHaveLength(2);
  });

  it('prints a table without --json', async () => {
    expect((await run('inspect', 'net.onnx', '--quiet')).out).toMatch(
      /parameters\s+618\n[\s\S]*conv\/Conv\s+Conv\s+16x3x3x3\s+448/,
    );
  });
});

describe('compress', () => {
  const calibration = ['--calibration', 'synthetic:train:32'];

  it('writes a smaller file that was loaded and compared, and the same bytes for the same seed', async () => {
    const first = await json(
      'compress',
      'net.onnx',
      '-o',
      'one.onnx',
      '--preset',
      'int8',
      ...calibration,
      '--report',
      'report',
    );
    const second = await json('compress', 'net.onnx', '-o', 'two.onnx', '--preset', 'int8', ...calibration);
    const [one, two] = await Promise.all(['one.onnx', 'two.onnx'].map((name) => readFile(join(folder, name))));
    expect(one!.equals(two!)).toBe(true);
    expect(first.output.bytes).toBe(one!.length);
    expect(first.comparison.outputs[0].name).toBe('scores');
    expect(first.comparison.outputs[0].snrDb).toBeGreaterThan(15);
    expect(first.coverage.ops.quantized).toMatchObject({ QLinearConv: 1, 'com.microsoft::QGemm': 1 });
    expect(first.steps.map((step: { use: string }) => step.use)).toEqual(['simplify', 'convolve-shortcuts', 'static']);
    expect(first.recipe.steps[2].quantize.with.weights.bits).toBe(8);
    expect(second.seed).toBe(0);
    expect((await readdir(join(folder, 'report'))).sort()).toEqual(['report.html', 'report.json']);
    expect((await readdir(folder)).filter((name) => name.startsWith('.espalier'))).toEqual([]);
  });

  it('runs a recipe in YAML, changed by --set, with accuracy before and after', async () => {
    const recipe = [
      'espalier: 1',
      'data:',
      '  calibration: { use: synthetic, with: { split: train, take: 16 } }',
      '  evaluation: { use: synthetic, with: { split: test, take: 40 } }',
      'steps:',
      '  - pass: simplify',
      '  - prune: magnitude',
      '  - quantize: { use: static, with: { activations: { observer: { use: percentile, with: { percentile: 99 } } } } }',
      'seed: 5',
    ];
    await writeFile(join(folder, 'recipe.yaml'), recipe.join('\n'));
    const report = await json(
      'compress',
      'net.onnx',
      '-o',
      'three.onnx',
      '--recipe',
      'recipe.yaml',
      '--set',
      'steps[1].prune.with.sparsity=0.75',
    );
    expect(report.recipe.steps[1].prune).toMatchObject({ use: 'magnitude', with: { sparsity: 0.75 } });
    expect(report.costs.after.nonZero).toBeLessThan(0.4 * report.costs.before.nonZero);
    expect(report.metrics.before.top1).toBeGreaterThanOrEqual(0);
    expect(report.metrics.after.loss).toBeGreaterThan(0);
    expect(report.warnings.join(' ')).toMatch(/Unstructured zeros do not shrink a dense file/);
    expect(report.seed).toBe(5);
  });

  it('runs a recipe in TypeScript', async () => {
    await writeFile(
      join(folder, 'recipe.ts'),
      "export const recipe = { espalier: 1 as const, steps: [{ quantize: 'fp16' }] };\n",
    );
    const report = await json('compress', 'net.onnx', '-o', 'half.onnx', '--recipe', 'recipe.ts');
    expect(report.comparison.outputs[0].snrDb).toBeGreaterThan(50);
  });

  it('names the place and the nearest spelling of what a recipe gets wrong', async () => {
    const wrong = async (text: string) => {
      await writeFile(join(folder, 'wrong.yaml'), text);
      const { code, error } = await run('compress', 'net.onnx', '-o', 'x.onnx', '--recipe', 'wrong.yaml', '--quiet');
      expect(code).toBe(1);
      return error;
    };
    expect(await wrong('espalier: 1\nstep: []')).toMatch(
      /^RECIPE_KEY: wrong.yaml: .*found "step". Did you mean "steps"/,
    );
    expect(await wrong('espalier: 1\nsteps: [{ quantise: static }]')).toMatch(
      /wrong.yaml.steps\[0\].*Did you mean "quantize"/,
    );
    expect(await wrong('espalier: 1\nsteps: [{ quantize: { use: statc } }]')).toMatch(
      /PLUGIN_UNKNOWN: .*Did you mean "static"/,
    );
    expect(await wrong('espalier: 1\nsteps: [{ quantize: { use: static, with: { weigths: {} } } }]')).toMatch(
      /OPTION_UNKNOWN: .*Did you mean "weights"/,
    );
    expect(await wrong('espalier: 1\nsteps: [')).toMatch(/^RECIPE_SYNTAX: wrong.yaml/);
    expect(await wrong('{"espalier": 1, "steps": [], "__proto__": {"seed": 1}}')).toMatch(/^RECIPE_INVALID/);
  });

  it('removes half of the channels for good with the preset prune-50', async () => {
    const report = await json('compress', 'net.onnx', '-o', 'half-wide.onnx', '--preset', 'prune-50');
    expect(report.layers.map(({ before, after }: Widths) => [before.weightShape, after.weightShape])).toEqual([
      [
        [16, 3, 3, 3],
        [8, 3, 3, 3],
      ],
      [
        [10, 16],
        [10, 8],
      ],
    ]);
    expect(report.costs.after.macs).toBe(8 * 27 * 256 + 80);
    expect(report.widths.groups).toEqual([
      expect.objectContaining({
        group: 'w1/0',
        units: { before: 16, after: 8 },
        parameters: { before: 448, after: 224 },
        macs: { before: 16 * 27 * 256, after: 8 * 27 * 256 },
      }),
    ]);
    const text = await run('compress', 'net.onnx', '-o', 'half-wide.onnx', '--preset', 'prune-50', '--quiet');
    expect(text.out).toMatch(/████████░░░░░░░░ +16 +8 +50 %/);
    const groups = await json('inspect', 'net.onnx', '--groups');
    const rows = groups.groups.map(({ id, units, prunable, reason }: GroupRow) => [id, units, prunable, reason]);
    expect(rows).toContainEqual(['w1/0', 16, true, null]);
    expect(rows).toContainEqual(['w1/1', 3, false, expect.stringContaining('"image" is an input')]);
    expect(groups.prunableParameters).toEqual({ all: 618, prunable: 608, withStatistics: 608 });
    const listed = await run('inspect', 'net.onnx', '--groups');
    expect(listed.out).toContain('1 of 3 groups can lose units; they hold 98.4 % of 618 parameters');
    expect(listed.out).toMatch(/w2\/0 +10 +"scores" is an output of the graph/);
    expect(rows).toContainEqual(['w2/0', 10, false, expect.stringContaining('"scores" is an output')]);
  });

  const resnet = join(modelsFolder() ?? '', 'resnet20-cifar10.onnx');
  it.skipIf(!existsSync(resnet))('says one number of parameters, with groups and without', async () => {
    const groups = await json('inspect', resnet, '--groups');
    expect(groups.parameters).toBe(269_722);
    expect(groups.prunableParameters.all).toBe(269_722);
    expect((await json('inspect', resnet)).parameters).toBe(269_722);
    expect((await run('inspect', resnet, '--groups')).out).toContain('of 270 k parameters');
  });

  it('refuses options of single weights beside channels, and the other way round', async () => {
    const recipe = (options: string) =>
      writeFile(
        join(folder, 'foreign.yaml'),
        `espalier: 1\nsteps: [{ prune: { use: magnitude, with: { ${options} } } }]`,
      );
    await recipe('goal: macs');
    const weights = await run('compress', 'net.onnx', '-o', 'x.onnx', '--recipe', 'foreign.yaml', '--quiet');
    expect(weights.error).toMatch(/^OPTION_CONFLICT: steps\[0\].prune.with.goal: expected granularity: channel/);
    await recipe('granularity: channel, minimumSize: 5');
    const channels = await run('compress', 'net.onnx', '-o', 'x.onnx', '--recipe', 'foreign.yaml', '--quiet');
    expect(channels.error).toMatch(/^OPTION_CONFLICT: steps\[0\].prune.with.minimumSize: expected granularity: weight/);
  });

  it('writes the folder that transformers.js expects for the preset web, and says what it left out', async () => {
    await writeFile(join(folder, 'config.json'), '{}');
    const found = await json('compress', 'net.onnx', '-o', 'web', '--preset', 'web', '--set', 'dtypes=fp32,fp16,q4');
    const written = found.forms.map(({ dtype }: { dtype: string }) => dtype);
    const left = found.leftOut.map(({ dtype }: { dtype: string }) => dtype);
    expect([...written, ...left].sort()).toEqual(['fp16', 'fp32', 'q4']);
    const endings: Readonly<Record<string, string>> = { fp32: '', fp16: '_fp16', q4: '_q4' };
    expect((await readdir(join(folder, 'web', 'onnx'))).sort()).toEqual(
      written.map((dtype: string) => `model${endings[dtype]}.onnx`).sort(),
    );
    expect(await readFile(join(folder, 'web', 'config.json'), 'utf8')).toBe('{}');
    expect(found.forms[1].report.output.bytes).toBeLessThan(found.forms[0].report.output.bytes);
  });

  it('ends at the next stage when its user asks to stop, and leaves nothing behind', async () => {
    await writeFile(join(folder, 'kept.onnx'), 'kept');
    let signs = 0;
    const args = ['compress', 'net.onnx', '-o', 'kept.onnx', '--preset', 'fp16'];
    const { code, error } = await runWith(() => ++signs > 6, args);
    expect(code).toBe(130);
    expect(error).toMatch(/INTERRUPTED: stopped; nothing was replaced\.\n$/);
    expect(await readFile(join(folder, 'kept.onnx'), 'utf8')).toBe('kept');
    expect((await readdir(folder)).filter((name) => name.startsWith('.espalier'))).toEqual([]);
  });

  it('leaves the old output in place when the run fails', async () => {
    await writeFile(join(folder, 'old.onnx'), 'old');
    const { code } = await run(
      'compress',
      'net.onnx',
      '-o',
      'old.onnx',
      '--preset',
      'int8',
      '--calibration',
      'npz:missing.npz',
      '--quiet',
    );
    expect(code).toBe(1);
    expect(await readFile(join(folder, 'old.onnx'), 'utf8')).toBe('old');
  });
});

describe('evaluate, compare and convert', () => {
  it('evaluate prints the documented JSON', async () => {
    const found = await json('evaluate', 'net.onnx', '--data', 'synthetic:test:50');
    expect(found).toMatchObject({ samples: 50, metrics: { top1: expect.any(Number), loss: expect.any(Number) } });
    expect(found.executor).toMatch(/^onnxruntime/);
    expect(found.seconds).toBeGreaterThan(0);
  });

  it('compare of a model with itself finds no difference', async () => {
    const found = await json('compare', 'net.onnx', 'net.onnx');
    expect(found.outputs).toEqual([expect.objectContaining({ name: 'scores', maxAbs: 0 })]);
    expect(found.top1Agreement).toBe(1);
    expect(found.bytes.ratio).toBe(1);
    expect(found.latency.ratio).toBeGreaterThan(0);
  });

  it('convert raises the opset, fixes an input and keeps the function', async () => {
    const found = await json(
      'convert',
      'net.onnx',
      '-o',
      'new.onnx',
      '--opset',
      '21',
      '--simplify',
      '--input',
      'image=1x3x16x16',
    );
    expect(found.output.opset).toBe(21);
    const again = await json('inspect', 'new.onnx');
    expect(again.inputs[0].shape).toEqual([1, 3, 16, 16]);
    const same = await json('compare', 'net.onnx', 'new.onnx', '--no-latency');
    expect(same.outputs[0].maxAbs).toBeLessThan(1e-4);
    expect((await run('convert', 'net.onnx', '-o', 'new.onnx', '--opset', '9', '--quiet')).error).toMatch(
      /^PASS_OPSET/,
    );
  });
});

describe('plugins and schema', () => {
  it('lists plugins, and the options of one', async () => {
    const all = await json('plugins');
    expect(all.map(({ kind, id }: { kind: string; id: string }) => `${kind}:${id}`)).toEqual(
      expect.arrayContaining(['quantizer:static', 'pruner:magnitude', 'observer:mse', 'dataset:images']),
    );
    expect((await run('plugins', 'percentile')).out).toMatch(/observer percentile[\s\S]*percentile\s+a number/);
    expect((await run('plugins', 'nope')).code).toBe(1);
  });

  it('prints a JSON Schema whose references all exist', async () => {
    const { out } = await run('schema');
    const schema = JSON.parse(out);
    const references = [...out.matchAll(/"#\/\$defs\/([a-z]+)"/g)].map((match) => match[1]!);
    expect(references).toContain('observer');
    for (const name of references) expect(Object.keys(schema.$defs)).toContain(name);
  });
});
