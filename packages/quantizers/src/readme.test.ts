import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);
// Inside the repository, so that the blocks find the workspace's packages; git does not see the folder.
const folder = fileURLToPath(new URL('../../../.cache/readme-quantizers/', import.meta.url));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(blocks.map((code, i) => [i + 1, code] as const))('block %i of the README runs', async (i, code) => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `block-${i}.ts`);
  writeFileSync(file, code);
  const failed = vi.spyOn(console, 'assert').mockImplementation((ok, ...rest) => expect(ok, rest.join(' ')).toBe(true));
  await import(pathToFileURL(file).href);
  expect(failed).toHaveBeenCalled();
  failed.mockRestore();
});

test('the README has code to run', () => {
  expect(blocks.length).toBeGreaterThan(3);
});
