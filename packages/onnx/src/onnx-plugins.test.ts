import { memoryFiles } from '@espalier/core';
import { expect, test } from 'vitest';
import { weightsGraph } from '../test/weights-graph.js';
import { onnxExport } from './onnx-export.js';
import { onnxImport } from './onnx-import.js';

test('the exporter writes what the importer reads', async () => {
  const files = memoryFiles();
  const graph = weightsGraph([2000, 3]);
  const exporter = onnxExport({ externalData: 'always' });
  expect(await exporter.write(graph, files, 'out/net.onnx')).toEqual(['out/net.onnx', 'out/net.onnx.data']);
  const importer = onnxImport();
  expect(importer.recognises((await files.read('out/net.onnx')).subarray(0, 64))).toBe(true);
  expect(await importer.read(files, 'out/net.onnx')).toStrictEqual(graph);
});

test('options are checked', () => {
  expect(() => onnxExport({ externalThreshold: -1 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});
