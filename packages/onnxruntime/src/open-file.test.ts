import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGraph, EspalierError, floats, type Graph, joinBytes, memoryFiles } from '@espalier/core';
import { nodeFiles } from '@espalier/core/node';
import { encodeOnnx, writeOnnx } from '@espalier/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOnnxRuntime } from './create-onnx-runtime.js';

const graph = (): Graph => {
  const b = buildGraph();
  const x = b.input('x', 'float32', ['n', 20]);
  const weights = floats(
    Array.from({ length: 400 }, (_, i) => (i % 7) - 3),
    [20, 20],
  );
  b.output(b.add('Relu', [b.add('MatMul', [x, b.constant('w', weights)])], { name: 'y' }));
  b.info('y', { dtype: 'float32', shape: ['n', 20] });
  return b.finish();
};
const feeds = new Map([['x', floats(new Float32Array(20).fill(1), [1, 20])]]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(['node', 'web'] as const)('openFile, backend %s', (backend) => {
  const executor = createOnnxRuntime({ backend, threads: 1 });
  afterAll(() => executor.close());
  const places = { disk: () => nodeFiles(folder), memory: () => memoryFiles() };

  it.each([
    ['disk', 'never'],
    ['disk', 'always'],
    ['memory', 'never'],
    ['memory', 'always'],
  ] as const)('runs a file from %s with external data %s as it runs the graph', async (place, externalData) => {
    const files = places[place]();
    const path = `deep/${backend}-${externalData}.onnx`;
    const written = await writeOnnx(graph(), files, { path, externalData, externalThreshold: 16 });
    expect(written.length).toBe(externalData === 'always' ? 2 : 1);
    const session = await executor.openFile!({ files, path });
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['n', 20] }]);
    expect(await session.run(feeds)).toEqual(await (await executor.open(graph())).run(feeds));
    await session.close();
  });

  // Without a disk of its own the runtime gets bytes, and reading them as a graph finds the damage first.
  it.each([
    ['a file that is not there', undefined, { node: 'FILE_MISSING', web: 'FILE_MISSING' }],
    ['a file that is no model', new Uint8Array([1, 2, 3, 255]), { node: 'EXECUTOR_FAILED', web: 'ONNX_MALFORMED' }],
    ['half a model', joinBytes(encodeOnnx(graph())).slice(0, 900), { node: 'EXECUTOR_FAILED', web: 'ONNX_TRUNCATED' }],
  ])('refuses %s', async (_what, bytes, codes) => {
    const path = `${backend}-bad.onnx`;
    if (bytes) await writeFile(join(folder, path), bytes);
    const opening = executor.openFile!({ files: nodeFiles(folder), path });
    await expect(opening).rejects.toBeInstanceOf(EspalierError);
    await expect(opening).rejects.toMatchObject({ code: codes[backend] });
  });
});
