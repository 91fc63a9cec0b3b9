import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('./resume-child.ts', import.meta.url));
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What became of one attempt. */
export interface Attempt {
  /** The step it went on from; -1 when it did not come to that. */
  readonly resumedAt: number;
  readonly killed: boolean;
}

/** Runs the child once in a folder; with `killAfter`, it is killed that many ms after it began to train. */
export function attempt(folder: string, killAfter?: number): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const run = spawn(process.execPath, ['--import', 'tsx', '--conditions=@espalier/source', child, folder], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let resumedAt = -1;
    let error = '';
    run.stderr.on('data', (text) => {
      error += text;
    });
    run.stdout.on('data', (text) => {
      const found = /start (\d+)/.exec(String(text));
      if (!found) return;
      resumedAt = Number(found[1]);
      if (killAfter !== undefined) setTimeout(() => run.kill('SIGKILL'), killAfter);
    });
    run.on('error', reject);
    run.on('close', (code, signal) => {
      if (code === 0 || signal === 'SIGKILL') resolve({ resumedAt, killed: signal === 'SIGKILL' });
      else reject(new Error(`the run failed: ${error}`));
    });
  });
}

/** The bytes that a finished run left in a folder. */
export const finalBytes = (folder: string): Promise<Buffer> => readFile(`${folder}/final.safetensors`);
