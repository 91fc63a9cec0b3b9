import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryFiles } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { onnxExport } from '@espalier/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOutput } from './check-output.js';

const exporter = onnxExport({});
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-output-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('checkOutput', () => {
  it.each([
    ['x.tflite', /ends in \.onnx/],
    ['x', /Name the output x\.onnx/],
  ])('refuses %s: the ending decides the format', async (output, message) => {
    await expect(checkOutput({ files: memoryFiles(), inputs: [], output, exporter })).rejects.toThrow(message);
  });

  it('refuses the run’s own input under any spelling, unless forced', async () => {
    const files = nodeFiles(folder);
    await files.write('model.onnx', [new Uint8Array(4)]);
    const request = { files, inputs: ['./model.onnx'], output: 'model.onnx', exporter };
    await expect(checkOutput(request)).rejects.toThrow(/the file that the run reads/);
    await checkOutput({ ...request, force: true });
  });

  it('refuses a folder and a write-protected file', async () => {
    const files = nodeFiles(folder);
    await files.write('here.onnx/model.onnx', [new Uint8Array(4)]);
    const request = { files, inputs: [], exporter };
    await expect(checkOutput({ ...request, output: 'here.onnx' })).rejects.toThrow(/found a folder/);
    await writeFile(join(folder, 'locked.onnx'), 'x');
    await chmod(join(folder, 'locked.onnx'), 0o444);
    await expect(checkOutput({ ...request, output: 'locked.onnx' })).rejects.toThrow(/write-protected/);
    await checkOutput({ ...request, output: 'locked.onnx', force: true });
  });

  it('leaves the mode of a file that is replaced', async () => {
    const files = nodeFiles(folder);
    await writeFile(join(folder, 'kept.onnx'), 'x');
    await chmod(join(folder, 'kept.onnx'), 0o640);
    await files.write('new.onnx', [new Uint8Array(4)]);
    await files.move('new.onnx', 'kept.onnx');
    expect((await stat(join(folder, 'kept.onnx'))).mode & 0o777).toBe(0o640);
  });
});
