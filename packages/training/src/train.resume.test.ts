import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempt, finalBytes } from '../test/run-killed.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espalier-resume-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a run that is killed', () => {
  it('goes on to the very bytes of one that never was, and past a damaged last checkpoint', async () => {
    const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
    await attempt(whole);
    const attempts = [await attempt(killed, 31), await attempt(killed, 95)];
    expect(attempts.map((each) => each.killed)).toEqual([true, true]);
    expect(attempts[1]!.resumedAt).toBeGreaterThan(0);
    await writeFile(join(killed, 'checkpoints/checkpoint.safetensors'), 'half a file');
    await writeFile(join(killed, 'checkpoints/.checkpoint.safetensors.0123.tmp'), 'half a file');
    const last = await attempt(killed);
    expect(await readdir(join(killed, 'checkpoints'))).toEqual([
      'checkpoint.previous.safetensors',
      'checkpoint.safetensors',
    ]);
    expect(last.resumedAt).toBeGreaterThan(0);
    expect(last.resumedAt).toBeLessThan(95);
    expect(Buffer.compare(await finalBytes(killed), await finalBytes(whole))).toBe(0);
  });
});
