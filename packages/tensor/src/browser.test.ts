import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type BrowserContext, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const browser = process.env.ESPALIER_CHROMIUM ?? '/usr/bin/chromium';
const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));

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

/** The program as a bundler makes it for browsers. */
async function bundle() {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['@espalier/source'],
    logLevel: 'silent',
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { script: outputFiles[0]!.contents, imports }; // one entry makes one file
}

it('bundles for browsers without anything of Node', async () => {
  expect((await bundle()).imports).toEqual([]);
});

// Debian: apt-get install chromium; elsewhere ESPALIER_CHROMIUM names a Chromium.
describe.skipIf(!existsSync(browser))('in headless Chromium', () => {
  let server: Server;
  let context: BrowserContext | undefined;
  let profile: string;

  beforeAll(async () => {
    const { script } = await bundle();
    server = createServer(async (request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const file = /^\/wasm\/([\w-]+\.wasm)$/.exec(path)?.[1];
      const [type, body] = file
        ? ['application/wasm', await readFile(join(wasm, file))]
        : path === '/page.js'
          ? ['text/javascript', script]
          : ['text/html', '<!doctype html><script type="module" src="/page.js"></script>'];
      response.setHeader('Content-Type', type as string).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    profile = await mkdtemp(join(tmpdir(), 'espalier-chromium-'));
    context = await chromium.launchPersistentContext(profile, {
      executablePath: browser,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(async () => {
    await context?.close();
    server?.close();
    if (profile) await rm(profile, { recursive: true, force: true });
  });

  it('computes what it computes in Node', async () => {
    const page = await context!.newPage(); // opened before the tests
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction('globalThis.run !== undefined');
    const [name, y, dw] = (await page.evaluate('run()')) as readonly [string, number[], number[]];
    expect(name).toMatch(/^tfjs-backend-wasm 4\./);
    // x is the identity of 3 by 3: y[i][j] = w00 x[i][j] + w01 x[i][j+1] + w10 x[i+1][j] + w11 x[i+1][j+1].
    expect(y).toEqual([5, 3, 2, 5]);
    expect(dw).toEqual([10, 2, 3, 10]);
  });
});
