import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const browser = process.env.ESPALIER_CHROMIUM ?? '/usr/bin/chromium';

/** Whether there is a browser to test in: Debian's chromium (`scripts/ensure-chromium.mjs`) or `ESPALIER_CHROMIUM`. */
export const hasChromium = (): boolean => existsSync(browser);

/** What a page runs. */
export interface PageProgram {
  /** A TypeScript module that sets `globalThis.run`. */
  readonly program: string;
  /** The folder its imports are resolved from. */
  readonly folder: string;
}

/** The program as a bundler makes it for browsers, and what it leaves to be imported at run time. */
export async function bundleForPage({ program, folder }: PageProgram) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: folder, loader: 'ts' },
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

/** A page that is open. */
export interface OpenPage {
  /** Calls the program's `run` with plain data and gives back what it returns, which must be plain data too. */
  run<T>(...given: readonly unknown[]): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens a program in headless Chromium. `serve` names folders of the disk by the path under which the page fetches their
 * files (`{ '/wasm/': folder }`); `flags` are further switches of the browser. What the page reports as an error fails
 * the call that waits for it.
 */
export async function openPage(
  of: PageProgram & {
    readonly serve?: Readonly<Record<string, string>>;
    readonly flags?: readonly string[];
  },
): Promise<OpenPage> {
  const { script } = await bundleForPage(of);
  const server = await serverOf(script, of.serve ?? {});
  const profile = await mkdtemp(join(tmpdir(), 'espalier-chromium-'));
  let context: BrowserContext | undefined;
  const close = async () => {
    await context?.close();
    server.close();
    server.closeAllConnections();
    await rm(profile, { recursive: true, force: true });
  };
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: browser,
      headless: true,
      args: [...quiet, ...(of.flags ?? ['--disable-gpu'])],
    });
    const page = await context.newPage();
    const failed = firstError(page);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await Promise.race([page.waitForFunction('globalThis.run !== undefined'), failed]);
    return {
      run: <T>(...given: readonly unknown[]) =>
        Promise.race([
          page.evaluate(`run(${given.map((each) => JSON.stringify(each)).join(', ')})`),
          failed,
        ]) as Promise<T>,
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

const quiet = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Rejects with the first error that nothing in the page caught. */
function firstError(page: Page): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    page.on('pageerror', reject);
  });
  failed.catch(() => {}); // whoever waits for the page sees it
  return failed;
}

const types: Readonly<Record<string, string>> = {
  wasm: 'application/wasm',
  js: 'text/javascript',
  mjs: 'text/javascript',
};

/** A server on this machine alone: the page, its script, and single files of the folders that are served. */
async function serverOf(script: Uint8Array, folders: Readonly<Record<string, string>>): Promise<Server> {
  const find = async (path: string): Promise<readonly [type: string, body: Uint8Array | string] | undefined> => {
    if (path === '/') return ['text/html', '<!doctype html><script type="module" src="/page.js"></script>'];
    if (path === '/page.js') return ['text/javascript', script];
    const prefix = Object.keys(folders).find((each) => path.startsWith(each));
    const file = prefix && path.slice(prefix.length);
    if (!file || !/^[\w-][\w.-]*$/.test(file)) return undefined;
    const body = await readFile(join(folders[prefix]!, file)).catch(() => undefined); // a prefix is one of its keys
    return body && [types[file.split('.').at(-1)!] ?? 'application/octet-stream', body];
  };
  const server = createServer(async (request, response) => {
    const found = await find(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (found) response.setHeader('Content-Type', found[0]).end(found[1]);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
