import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@espalier/core';
import { attempt, finalBytes } from '../packages/training/test/run-killed.js';

/**
 * A small training run killed with SIGKILL ten times at random moments and resumed, against one that is left alone:
 * the final weights must be the same bytes.
 *
 *     tsx --conditions=@espalier/source bench/resume.ts [kills] [seed]
 */
const [kills = '10', seed = '1'] = process.argv.slice(2);
const longest = 700; // ms between the beginning of an attempt and its end; a whole run takes a few seconds
const random = createRandom(Number(seed));
const folder = await mkdtemp(join(tmpdir(), 'espalier-resume-'));
try {
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')];
  await attempt(whole);
  let done = 0;
  while (done < Number(kills)) {
    const after = Math.round(random.next() * longest);
    const { resumedAt, killed: wasKilled } = await attempt(killed, after);
    if (!wasKilled) break;
    done++;
    console.log(`kill ${done}: began at step ${resumedAt}, killed after ${after} ms`);
  }
  const last = await attempt(killed);
  const same = Buffer.compare(await finalBytes(killed), await finalBytes(whole)) === 0;
  console.log(`last run began at step ${last.resumedAt}; ${done} kills; ${same ? 'the same bytes' : 'OTHER BYTES'}`);
  process.exitCode = same && done === Number(kills) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
