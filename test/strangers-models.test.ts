import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CompressReport } from '@espalier/analysis';
import { nodeFiles } from '@espalier/core/node';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { compress } from '@espalier/recipe';
import { findPreset, registry } from 'espalier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelsFolder } from './fixtures.js';

// Small networks as people export them, and failing inputs of the field; they lie beside the real models.
const models = modelsFolder();
const cases = models && resolve(models, '../cases');
const executor = createOnnxRuntime({ threads: 1 });
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-strangers-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await executor.close();
});

const run = (input: string, preset: string): Promise<CompressReport> =>
  compress({
    recipe: findPreset(preset).recipe,
    registry,
    executor,
    files: nodeFiles('/', { confine: false }),
    input,
    output: join(folder, `${preset}.onnx`),
  });

const caseFile = (name: string, file: string): string => join(cases ?? '', name, file);
const filesIn = (path: string | undefined): readonly string[] =>
  path !== undefined && existsSync(path)
    ? readdirSync(path, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.onnx'))
        .map((name) => join(path, name))
    : [];

describe.skipIf(cases === undefined || !existsSync(cases))('a stranger’s model', () => {
  const small = filesIn(cases).filter((path) => !path.includes('nan-weight'));
  it.each(small)('%s goes through int8 without a flag, and never counts NaN as equal', async (path) => {
    const report = await run(path, 'int8');
    expect(report.fed.role).toBe('made');
    for (const { snrDb, undefinedBoth, count } of report.comparison?.outputs ?? []) {
      expect(undefinedBoth < count || snrDb === -300).toBe(true);
    }
  });

  it('with a weight of NaN is refused by int8 with the node that computes it', async () => {
    await expect(run(caseFile('17-prune-nan-blames-plugin', 'nan-weight.onnx'), 'int8')).rejects.toThrow(
      /steps\[2\]\.quantize.*finite numbers.*NaN/,
    );
  });

  it('keeps an epsilon that float16 would turn into 0', async () => {
    const report = await run(caseFile('06-fp16-nan', 'eps-vector.onnx'), 'fp16');
    expect(report.comparison?.outputs[0]?.snrDb).toBeGreaterThan(60);
    expect(report.warnings.join(' ')).toMatch(/"eps" stays float32/);
  });

  it('that holds NaN is refused by pruning as what it is', async () => {
    await expect(run(caseFile('17-prune-nan-blames-plugin', 'nan-weight.onnx'), 'prune-50')).rejects.toThrow(
      /PRUNE_WEIGHT|weight "w.*expected a number, found NaN/,
    );
  });

  it('loses the channels that do nothing first', async () => {
    const report = await run(caseFile('18-prune-keeps-dead-units', 'dead-channels.onnx'), 'prune-50');
    expect(report.comparison?.outputs[0]?.snrDb).toBeGreaterThan(60);
  });

  it('with an LSTM of newer exporters becomes integers', async () => {
    const report = await run(caseFile('16-lstm-layout', 'lstm-layout0.onnx'), 'int8-dynamic');
    expect(report.output.bytes / report.input.bytes).toBeLessThan(0.5);
  });

  it('with local functions shrinks', async () => {
    const report = await run(caseFile('10-local-function-weights', 'function.onnx'), 'fp16');
    expect(report.output.bytes / report.input.bytes).toBeLessThan(0.6);
  });

  it('does not grow by folding', async () => {
    const report = await run(caseFile('03-simplify-doubles-size', 'slice-assign.onnx'), 'fp16');
    expect(report.output.bytes).toBeLessThan(2000);
  });

  it.each(['dynamo/bert_cls', 'dynamo/resnet', 'legacy/gpt2', 'decoder/decoder_with_past_model'])(
    '%s goes through int8-dynamic with sizes and values found for it',
    async (name) => {
      const report = await run(join(models!, 'exports', `${name}.onnx`), 'int8-dynamic');
      expect(report.comparison?.outputs.every(({ snrDb }) => snrDb > 15)).toBe(true);
      expect(report.fed.inputs.length).toBeGreaterThan(0);
    },
  );
});
