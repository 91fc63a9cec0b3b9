import { memoryFiles } from '@espalier/core';
import { expect, test } from 'vitest';
import { writeConfig } from './write-config.js';

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const setting = (config: unknown, others: Readonly<Record<string, Uint8Array>> = {}) => {
  const content = new Map(Object.entries({ 'in/config.json': bytesOf(config), ...others }));
  const request = { files: memoryFiles(content), places: ['in/onnx', 'in'], folder: 'out' };
  return { request, written: () => JSON.parse(new TextDecoder().decode(content.get('out/config.json'))), content };
};

test('a configuration that has nothing to say about weights is copied byte by byte', async () => {
  const { request, content } = setting({ model_type: 'bert' });
  await writeConfig({ ...request, beside: new Map([['model.onnx', 0]]), dtypes: ['fp32'] });
  expect(content.get('out/config.json')).toEqual(content.get('in/config.json'));
});

test('files of weights are counted in the configuration, and what the source said of its own is replaced', async () => {
  const { request, written } = setting({ a: 1, 'transformers.js_config': { use_external_data_format: true, x: 2 } });
  const beside = new Map([
    ['model.onnx', 2],
    ['model_q4.onnx', 0],
  ]);
  await writeConfig({ ...request, beside, dtypes: ['fp32', 'q4'] });
  const external = { 'model.onnx': 2 };
  expect(written()).toEqual({ a: 1, 'transformers.js_config': { x: 2, use_external_data_format: external } });
});

test('entries of an earlier run stay where its weights stay', async () => {
  const earlier = {
    'transformers.js_config': { use_external_data_format: { 'encoder_model.onnx': 1, 'gone.onnx': 1 } },
  };
  const { request, written } = setting(
    {},
    { 'out/config.json': bytesOf(earlier), 'out/onnx/encoder_model.onnx_data': Uint8Array.of(1) },
  );
  await writeConfig({ ...request, beside: new Map([['decoder_model_merged.onnx', 1]]), dtypes: ['fp32'] });
  expect(written()['transformers.js_config']).toEqual({
    use_external_data_format: { 'decoder_model_merged.onnx': 1, 'encoder_model.onnx': 1 },
  });
});

test('a default that was not written and a missing configuration are said', async () => {
  const { request } = setting({ 'transformers.js_config': { dtype: 'q4' } });
  const found = await writeConfig({ ...request, beside: new Map(), dtypes: ['fp32'] });
  expect(found.warnings).toEqual(['config.json makes q4 the default of transformers.js; it was not written.']);
  const none = await writeConfig({ ...request, places: ['no'], beside: new Map([['model.onnx', 1]]), dtypes: [] });
  expect(none.warnings[0]).toMatch(/no config.json.*\{"model.onnx":1\}/);
});

test('a configuration that is no object is refused with its path', async () => {
  const { request } = setting([1]);
  await expect(writeConfig({ ...request, beside: new Map(), dtypes: [] })).rejects.toThrow(
    /in\/config.json.*JSON object/,
  );
});
