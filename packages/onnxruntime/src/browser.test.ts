import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoryFiles } from '@espalier/core';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, type OpenPage, openPage } from '../../../test/chromium-page.js';
import { modelsFolder } from '../../../test/fixtures.js';
import { type Found, runFile, runStep } from '../test/page-runs.js';
import { createOnnxRuntime } from './create-onnx-runtime.js';

it('bundles for browsers without anything of Node', async () => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL('index.ts', import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@espalier/source'],
    external: ['onnxruntime-web'],
    logLevel: 'silent',
  });
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(outside).toEqual(['onnxruntime-web']);
});

const program = `
  import { EspalierError, memoryFiles } from '@espalier/core';
  import { createOnnxRuntime } from '@espalier/onnxruntime';
  import { runFile, runStep } from './page-runs.ts';
  const executor = createOnnxRuntime({ wasmPaths: '/ort/' });
  const runs = {
    name: () => executor.describe(),
    step: () => runStep(executor),
    file: async (path) => {
      const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
      return runFile(executor, memoryFiles(new Map([['model.onnx', bytes]])));
    },
    optimized: async () => executor.optimized === undefined,
    native: () => createOnnxRuntime({ backend: 'node' }).describe().catch((cause) => cause instanceof EspalierError && cause.code),
  };
  globalThis.run = (what, ...given) => runs[what](...given);
`;

/** The largest difference between two lists, relative to the largest magnitude of the first. */
function apart(a: readonly number[], b: readonly number[]): number {
  expect(b).toHaveLength(a.length);
  const scale = Math.max(...a.map(Math.abs));
  return Math.max(...a.map((each, i) => Math.abs(each - b[i]!))) / scale;
}

const models = modelsFolder();

// `pnpm unit` installs Debian's chromium where it can; elsewhere ESPALIER_CHROMIUM names a Chromium.
describe.skipIf(!hasChromium())('onnxruntime-web in headless Chromium', () => {
  const native = createOnnxRuntime({ backend: 'node', threads: 1 });
  let page: OpenPage | undefined;
  beforeAll(async () => {
    const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
    page = await openPage({
      program,
      folder: fileURLToPath(new URL('../test/', import.meta.url)),
      serve: { '/ort/': runtime, ...(models ? { '/models/': models } : {}) },
    });
  });
  afterAll(async () => {
    await Promise.all([page?.close(), native.close()]);
  });
  const run = <T>(...given: readonly unknown[]): Promise<T> => page!.run<T>(...given); // opened before the tests

  it('is what a page gets, without the disk and without the native runtime', async () => {
    expect(await run('name')).toMatch(/^onnxruntime-web 1\./);
    expect(await run('optimized')).toBe(true);
    expect(await run('native')).toBe('EXECUTOR_MISSING');
  });

  it('takes a step of training as onnxruntime-node does', async () => {
    const [found, want] = [await run<Found>('step'), await runStep(native)];
    expect(Object.keys(found)).toEqual(Object.keys(want));
    for (const [name, values] of Object.entries(want)) expect(apart(values, found[name]!), name).toBeLessThan(1e-4);
  });

  // Needs the folder of real models.
  it.skipIf(!models)('runs a real file as onnxruntime-node does', async () => {
    const found = await run<Found>('file', '/models/resnet20-cifar10.onnx');
    const bytes = new Uint8Array(readFileSync(join(models!, 'resnet20-cifar10.onnx')));
    const want = await runFile(native, memoryFiles(new Map([['model.onnx', bytes]])));
    expect(Object.keys(found)).toEqual(Object.keys(want));
    for (const [name, values] of Object.entries(want)) expect(apart(values, found[name]!), name).toBeLessThan(1e-4);
  });
});
