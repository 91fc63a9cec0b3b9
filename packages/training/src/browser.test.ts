import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createOnnxRuntime } from '@espalier/onnxruntime';
import { createTensorCore } from '@espalier/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleForPage, hasChromium, type OpenPage, openPage } from '../../../test/chromium-page.js';
import { dataFolder } from '../../../test/fixtures.js';
import { type IdxBytes, lenetLosses, steps } from '../test/lenet-run.js';
import { type ToyRun, toyRun } from '../test/toy-run.js';

const page = {
  folder: fileURLToPath(new URL('../test/', import.meta.url)),
  program: `
    import { createTensorCore, hasWebGpu } from '@espalier/tensor';
    import { lenetLosses } from './lenet-run.ts';
    import { toyRun } from './toy-run.ts';
    const bytesAt = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
    const lenet = async (files) =>
      lenetLosses(
        createTensorCore({ wasmPaths: '/wasm/' }),
        files && { images: await bytesAt(files.images), labels: await bytesAt(files.labels) },
      );
    const toyOnGpu = async () => ((await hasWebGpu()) ? toyRun(createTensorCore({ backend: 'webgpu' })) : null);
    globalThis.run = (what, ...given) => ({ lenet, toyOnGpu })[what](...given);
  `,
};

const folder = dataFolder();
const data = folder && existsSync(join(folder, 'fashion-mnist')) ? join(folder, 'fashion-mnist') : undefined;
const names = { images: 't10k-images-idx3-ubyte.gz', labels: 't10k-labels-idx1-ubyte.gz' };
const fashion = (): Promise<IdxBytes> =>
  Promise.all([names.images, names.labels].map((name) => readFile(join(data!, name)))).then(
    ([images, labels]) => ({ images: images!, labels: labels! }), // two names were read
  );

/** The largest difference between two loss curves: absolute where losses are above 1, relative below. */
const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((loss, i) => Math.abs(loss - b[i]!) / Math.min(1, loss)));

const average = (losses: readonly number[]): number => losses.reduce((sum, loss) => sum + loss, 0) / losses.length;

/** A curve of as many finite losses as steps, which falls. */
function expectToLearn(losses: readonly number[], share: number): void {
  expect(losses).toHaveLength(steps);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(average(losses.slice(-5))).toBeLessThan(share * losses[0]!);
}

it('bundles for browsers without anything of Node', async () => {
  expect((await bundleForPage(page)).imports).toEqual([]);
});

// `pnpm unit` installs Debian's chromium where it can; elsewhere ESPALIER_CHROMIUM names a Chromium.
describe.skipIf(!hasChromium())('in headless Chromium, training', () => {
  let open: OpenPage | undefined;
  const native = createOnnxRuntime({ threads: 1 });
  const node = createTensorCore();
  beforeAll(async () => {
    const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
    open = await openPage({
      ...page,
      // SwiftShader is a GPU in software.
      flags: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
      serve: { '/wasm/': wasm, ...(data ? { '/data/': data } : {}) },
    });
  });
  afterAll(async () => {
    await Promise.all([open?.close(), node.close(), native.close()]);
  });

  it('LeNet-5 for 50 steps has the losses of Node, on drawn images', async () => {
    const found = await open!.run<number[]>('lenet'); // opened before the tests
    const want = await lenetLosses(node);
    expectToLearn(want, 0.5);
    expect(apart(want, found)).toBeLessThan(1e-3);
  });

  // Needs fashion-mnist/ of the data folder.
  it.skipIf(!data)('LeNet-5 for 50 steps has the losses of Node and of onnxruntime, on FashionMNIST', async () => {
    const found = await open!.run<number[]>('lenet', {
      images: `/data/${names.images}`,
      labels: `/data/${names.labels}`,
    }); // opened before the tests
    const given = await fashion();
    const want = await lenetLosses(node, given);
    const other = await lenetLosses(native, given);
    expectToLearn(want, 0.6);
    expect(apart(want, found)).toBeLessThan(1e-3);
    expect(apart(other, found)).toBeLessThan(1e-3);
  });

  it('on the GPU has the losses, the evaluation and the weights of Node', async ({ skip }) => {
    const found = await open!.run<ToyRun | null>('toyOnGpu'); // opened before the tests
    if (!found) return skip('this Chromium has no WebGPU adapter');
    const want = await toyRun(node);
    expect(found.losses).toHaveLength(12);
    expect(found.losses.at(-1)).toBeLessThan(found.losses[0]!);
    expect(apart(want.losses, found.losses)).toBeLessThan(1e-3);
    expect(found.accuracy).toBe(want.accuracy);
    expect(found.weights).toHaveLength(want.weights.length);
    for (const [i, weight] of found.weights.entries()) expect(Math.abs(weight - want.weights[i]!)).toBeLessThan(1e-3);
  });
});
