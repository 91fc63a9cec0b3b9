import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleForPage, hasChromium, type OpenPage, openPage } from '../../../test/chromium-page.js';

/** A page's program: a step of gradients and a softmax, run twice, and the runtime's name. */
const program = `
  import { buildGraph, floats, int, ints } from '@espalier/core';
  import { createTensorCore } from './create-tensor-core.ts';
  globalThis.run = async () => {
    const b = buildGraph({ inputs: [], outputs: [], nodes: [], opsets: new Map([['', 18], ['espalier', 1]]) });
    const x = b.input('x', 'float32', [1, 1, 3, 3]);
    const w = b.constant('w', floats([1, 2, 3, 4], [1, 1, 2, 2]));
    const y = b.add('Conv', [x, w], { name: 'y' });
    const window = { kernel_shape: ints([2, 2]), strides: ints([1, 1]), pads: ints([0, 0, 0, 0]), dilations: ints([1, 1]), group: int(1) };
    b.output(y);
    b.output(b.add('espalier::ConvWeightGradient', [x, y], { name: 'dw', attributes: window }));
    const executor = createTensorCore({ wasmPaths: '/wasm/' });
    const session = await executor.open(b.finish());
    const feeds = new Map([['x', floats([1, 0, 0, 0, 1, 0, 0, 0, 1], [1, 1, 3, 3])]]);
    await session.run(feeds);
    const found = await session.run(feeds);
    return [await executor.describe(), [...found.get('y').data], [...found.get('dw').data]];
  };
`;
const folder = fileURLToPath(new URL('.', import.meta.url));

it('bundles for browsers without anything of Node', async () => {
  expect((await bundleForPage({ program, folder })).imports).toEqual([]);
});

// `pnpm unit` installs Debian's chromium where it can; elsewhere ESPALIER_CHROMIUM names a Chromium.
describe.skipIf(!hasChromium())('in headless Chromium', () => {
  let page: OpenPage | undefined;
  beforeAll(async () => {
    const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
    page = await openPage({ program, folder, serve: { '/wasm/': wasm } });
  });
  afterAll(() => page?.close());

  it('computes what it computes in Node', async () => {
    const [name, y, dw] = await page!.run<readonly [string, number[], number[]]>(); // opened before the tests
    expect(name).toMatch(/^tfjs-backend-wasm 4\./);
    // x is the identity of 3 by 3: y[i][j] = w00 x[i][j] + w01 x[i][j+1] + w10 x[i+1][j] + w11 x[i+1][j+1].
    expect(y).toEqual([5, 3, 2, 5]);
    expect(dw).toEqual([10, 2, 3, 10]);
  });
});
