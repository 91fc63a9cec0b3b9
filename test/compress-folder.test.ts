import { buildGraph, type Executor, floats, joinBytes, memoryFiles, problem } from '@espalier/core';
import { encodeOnnx } from '@espalier/onnx';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { checkFolderRecipe, compressFolder, type FolderRecipe, setInRecipe } from '@espalier/recipe';
import { folderPresets, registry } from 'espalier';
import { afterAll, expect, test } from 'vitest';

const executor = createOnnxRuntime({ backend: 'node', threads: 1 });
afterAll(() => executor.close());

const numbers = (shape: readonly number[]) =>
  floats(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * i) / 8),
    shape,
  );

const matrix = () => {
  const b = buildGraph();
  b.output(
    b.add('MatMul', [b.input('x', 'float32', ['batch', 64]), b.constant('w', numbers([64, 64]))], { name: 'y' }),
  );
  b.info('y', { dtype: 'float32', shape: ['batch', 64] });
  return joinBytes(encodeOnnx(b.finish()));
};

const convolution = () => {
  const b = buildGraph();
  const x = b.input('x', 'float32', [1, 8, 8, 8]);
  b.output(b.add('Conv', [x, b.constant('w', numbers([16, 8, 3, 3]))], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: [1, 16, 6, 6] });
  return joinBytes(encodeOnnx(b.finish()));
};

const preset = folderPresets.web.recipe;
const chosen = (...changes: readonly string[]) =>
  checkFolderRecipe(changes.reduce<unknown>(setInRecipe, preset), 'preset web');

function folder(models: Readonly<Record<string, Uint8Array>>, using: Executor = executor) {
  const content = new Map(Object.entries({ 'in/config.json': new TextEncoder().encode('{}'), ...models }));
  const files = memoryFiles(content);
  const write = (recipe: FolderRecipe, more: { readonly input?: string } = {}) =>
    compressFolder({ recipe, registry, executor: using, files, input: 'in', output: 'out/', ...more });
  return { content, write, names: () => [...content.keys()].filter((path) => path.startsWith('out/')).sort() };
}

test('each model is written in each chosen form', async () => {
  const { write, names } = folder({ 'in/encoder_model.onnx': matrix(), 'in/decoder_model_merged.onnx': matrix() });
  const { forms, leftOut } = await write(chosen('dtypes=q4,uint8,fp32'));
  expect(leftOut).toEqual([]);
  expect(forms.map(({ dtype, model }) => `${dtype} ${model}`)).toEqual(
    ['fp32', 'uint8', 'q4'].flatMap((dtype) => [`${dtype} decoder_model_merged`, `${dtype} encoder_model`]),
  );
  for (const { report } of forms) expect(report.comparison?.outputs[0]?.snrDb).toBeGreaterThan(15);
  expect(names()).toEqual([
    'out/config.json',
    ...['decoder_model_merged', 'encoder_model'].flatMap((name) =>
      ['.onnx', '_q4.onnx', '_uint8.onnx'].map((ending) => `out/onnx/${name}${ending}`),
    ),
  ]);
});

test('a form that saves nothing in all models together is left out with the reason', async () => {
  const alone = folder({ 'in/net.onnx': convolution() });
  const { leftOut } = await alone.write(chosen('dtypes=fp32,q4,fp16'));
  expect(leftOut.map(({ dtype }) => dtype)).toEqual(['q4']);
  expect(leftOut[0]?.reason).toMatch(/not smaller .*convolutions/);
  expect(alone.names()).toEqual(['out/config.json', 'out/onnx/model.onnx', 'out/onnx/model_fp16.onnx']);
  const both = folder({ 'in/vision_model.onnx': convolution(), 'in/text_model.onnx': matrix() });
  expect((await both.write(chosen('dtypes=fp32,q4'))).leftOut).toEqual([]);
  expect(both.names()).toContain('out/onnx/vision_model_q4.onnx');
});

test('a form that the runtime refuses is left out, and the first form must run', async () => {
  const refusing = (ending: string): Executor => ({
    ...executor,
    openFile(file) {
      if (!file.path.endsWith(ending)) return executor.openFile!(file);
      throw problem('EXECUTOR_UNSUPPORTED_OP', { where: file.path, expected: 'ops it has', found: 'MatMulBnb4' });
    },
  });
  const { write, names } = folder({ 'in/model.onnx': matrix() }, refusing('_bnb4.onnx'));
  const { leftOut } = await write(chosen('dtypes=fp32,bnb4'));
  expect(leftOut[0]).toMatchObject({
    dtype: 'bnb4',
    reason: expect.stringMatching(/does not run model_bnb4.*MatMulBnb4/),
  });
  expect(names()).toEqual(['out/config.json', 'out/onnx/model.onnx']);
});

test('weights beside a model are counted in config.json, and those of an earlier run go', async () => {
  const { write, names, content } = folder({ 'in/model.onnx': matrix() });
  const { forms } = await write(chosen('dtypes=fp32,q4', 'externalData=always'));
  expect(forms[0]?.report.comparison?.outputs[0]?.maxAbs).toBe(0);
  const data = ['out/onnx/model.onnx_data', 'out/onnx/model_q4.onnx_data'];
  expect(names()).toEqual(['out/config.json', 'out/onnx/model.onnx', data[0], 'out/onnx/model_q4.onnx', data[1]]);
  expect(JSON.parse(new TextDecoder().decode(content.get('out/config.json')))).toEqual({
    'transformers.js_config': { use_external_data_format: { 'model.onnx': 1, 'model_q4.onnx': 1 } },
  });
  await write(chosen('dtypes=fp32,q4'));
  expect(names()).toEqual(['out/config.json', 'out/onnx/model.onnx', 'out/onnx/model_q4.onnx']);
  expect(new TextDecoder().decode(content.get('out/config.json'))).toBe('{}');
});

test('dtypes, places of weights and recipes of forms are checked', () => {
  expect(() => chosen('dtypes=q4,q5')).toThrow(/Did you mean.*One of fp32/);
  expect(() => chosen('externalData=never')).toThrow(/auto or always/);
  expect(() => chosen('dtype=q4')).toThrow(/dtypes/);
  expect(() => chosen('forms.q4.recipe.seed=-1')).toThrow(/forms\.q4\.recipe\.seed/);
});
