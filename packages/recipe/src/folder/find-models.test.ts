import { memoryFiles } from '@espalier/core';
import { expect, test } from 'vitest';
import { findModels } from './find-models.js';

const filesOf = (...paths: readonly string[]) =>
  memoryFiles(new Map(paths.map((path) => [path, Uint8Array.of(1)] as const)));
const namesIn = async (paths: readonly string[], input = 'in') => {
  const { models, skipped } = await findModels(filesOf(...paths), input);
  return { names: models.map(({ name }) => name), skipped: skipped.map(({ path }) => path) };
};

test('a lone model is called model, whatever its file', async () => {
  expect(await namesIn(['in/best_v3.onnx'], 'in/best_v3.onnx')).toEqual({ names: ['model'], skipped: [] });
  expect(await namesIn(['in/best_v3.onnx'])).toEqual({ names: ['model'], skipped: [] });
  expect((await namesIn(['in/a.onnx', 'in/b.onnx'], 'in/b.onnx')).names).toEqual(['model']);
  expect((await namesIn(['in/vision_model.onnx'])).names).toEqual(['vision_model']);
});

test('the subfolder onnx is where a folder keeps its models, and settings may stand in either', async () => {
  const found = await findModels(filesOf('in/onnx/model.onnx', 'in/config.json', 'in/other.onnx'), 'in/');
  expect(found.models).toEqual([{ path: 'in/onnx/model.onnx', name: 'model' }]);
  expect(found.places).toEqual(['in/onnx', 'in']);
});

test('a decoder alone is a model; with an encoder it keeps its name', async () => {
  const exported = ['in/decoder_model.onnx', 'in/decoder_model_merged.onnx', 'in/decoder_with_past_model.onnx'];
  const skipped = ['in/decoder_model.onnx', 'in/decoder_with_past_model.onnx'];
  expect(await namesIn(exported)).toEqual({ names: ['model'], skipped });
  expect(await namesIn([...exported, 'in/encoder_model.onnx'])).toEqual({
    names: ['decoder_model_merged', 'encoder_model'],
    skipped,
  });
  expect(await namesIn(['in/decoder_model.onnx', 'in/decoder_with_past_model.onnx'])).toEqual({
    names: ['model'],
    skipped: ['in/decoder_model.onnx'],
  });
  expect((await namesIn(['in/encoder_model.onnx', 'in/decoder_model.onnx'])).names).toEqual([
    'decoder_model',
    'encoder_model',
  ]);
});

test('forms that were compressed before are not models', async () => {
  const { names, skipped } = await namesIn([
    'in/text_model.onnx',
    'in/vision_model.onnx',
    'in/vision_model_q4f16.onnx',
    'in/text_model_quantized.onnx',
  ]);
  expect(names).toEqual(['text_model', 'vision_model']);
  expect(skipped).toEqual(['in/text_model_quantized.onnx', 'in/vision_model_q4f16.onnx']);
  await expect(namesIn(['in/model_q4.onnx'])).rejects.toThrow(/FOLDER_EMPTY|compressed forms/);
  await expect(namesIn(['elsewhere/model.onnx'])).rejects.toThrow(/in: expected a file/);
});
