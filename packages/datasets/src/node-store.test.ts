import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, nodeStore } from './node-store.js';
import type { PublishedFile } from './published-file.js';

const content = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) % 256);
const packed = gzipSync(content);
const sha256 = createHash('sha256').update(content).digest('hex');
let folder: string;
let server: Server | undefined;
let asked: string[] = [];

/** A server on this machine, and the address of its folder. */
async function serve(answer: RequestListener): Promise<string> {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((done) => server!.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const file = (...addresses: string[]): PublishedFile => ({
  path: 'set/file.gz',
  addresses: addresses.map((address) => `${address}/file.gz`),
  bytes: content.length,
  sha256,
});
const store = (options = {}) => nodeStore({ data: undefined, cache: join(folder, 'cache'), ...options });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-store-'));
  asked = [];
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

describe('nodeStore', () => {
  it('downloads once, checks, keeps, and says how far it is', async () => {
    const address = await serve((_, response) => response.end(packed));
    const heard: (number | undefined)[] = [];
    expect(await store().fetch(file(address), (_, done) => heard.push(done))).toEqual(content);
    expect([heard[0], heard.at(-1)]).toEqual([0, 1]);
    expect(await readdir(join(folder, 'cache/set'))).toEqual(['file.gz']);
    expect(await store().fetch(file(address))).toEqual(content);
    expect(asked).toEqual(['/file.gz']);
  });

  it('looks into the data folder first, packed or not, and writes nothing there', async () => {
    await mkdir(join(folder, 'data/set'), { recursive: true });
    await writeFile(join(folder, 'data/set/file'), content);
    expect(await store({ data: join(folder, 'data') }).fetch(file())).toEqual(content);
    expect(await readdir(folder)).toEqual(['data']);
  });

  it('tries the next address when one fails, and tells of all when every one does', async () => {
    const address = await serve((request, response) => {
      response.statusCode = request.url === '/good/file.gz' ? 200 : 404;
      response.end(packed);
    });
    await expect(store().fetch(file(address, `${address}/other`))).rejects.toMatchObject({
      code: 'DATA_DOWNLOAD',
      message: expect.stringMatching(/file\.gz: answer 404.*other\/file\.gz: answer 404.*ESPALIER_DATA/),
    });
    expect(await store().fetch(file(address, `${address}/good`))).toEqual(content);
  });

  it('keeps nothing that is not what was published', async () => {
    const address = await serve((_, response) => response.end(gzipSync(content.map((byte) => byte ^ 1))));
    await expect(store().fetch(file(address))).rejects.toMatchObject({ code: 'DATA_CHECKSUM' });
    await expect(readdir(join(folder, 'cache'))).rejects.toThrow();
  });

  it.each([
    ['a bomb', () => gzipSync(new Uint8Array(10 ** 6)), 'DATA_LIMIT'],
    ['more bytes than the content has', () => content.length * 2, 'DATA_DOWNLOAD'],
  ])('stops at %s', async (_, body, code) => {
    const bytes = body();
    const address = await serve((_, response) =>
      response.end(typeof bytes === 'number' ? new Uint8Array(bytes) : bytes),
    );
    await expect(store().fetch(file(address))).rejects.toMatchObject({ code });
  });

  it('gives up on an address that falls silent or breaks off', async () => {
    const address = await serve((request, response) => {
      response.writeHead(200, { 'content-length': packed.length });
      response.write(packed.subarray(0, 20));
      if (request.url?.startsWith('/broken')) setTimeout(() => response.destroy(), 20);
    });
    const { fetch } = store({ timeout: 200 });
    await expect(fetch(file(address))).rejects.toThrow(/no data for 0\.2 s/);
    await expect(fetch(file(`${address}/broken`))).rejects.toMatchObject({ code: 'DATA_DOWNLOAD' });
  });

  it('refuses a damaged file in the cache instead of using it', async () => {
    await mkdir(join(folder, 'cache/set'), { recursive: true });
    await writeFile(join(folder, 'cache/set/file.gz'), gzipSync(content.map((byte) => byte ^ 1)));
    await expect(store().fetch(file())).rejects.toThrow(/cache|set\/file\.gz/);
    expect((await readFile(join(folder, 'cache/set/file.gz'))).length).toBeGreaterThan(0);
  });
});

describe('cacheFolder', () => {
  it('follows ESPALIER_CACHE, then the operating system', () => {
    expect(cacheFolder({ ESPALIER_CACHE: '/here' }, 'linux')).toBe('/here');
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'espalier'));
    expect(cacheFolder({}, 'linux')).toMatch(/\.cache.espalier$/);
    expect(cacheFolder({}, 'darwin')).toMatch(/Library.Caches.espalier$/);
    expect(cacheFolder({ LOCALAPPDATA: 'C:\\Local' }, 'win32')).toContain('espalier');
  });
});
