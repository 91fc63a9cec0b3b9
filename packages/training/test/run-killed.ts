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

/** Runs the child once in a folder; with `killAfter`, it is killed at once when it tells that it did that step. */
export function attempt(folder: string, killAfter = Number.POSITIVE_INFINITY): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const run = spawn(process.execPath, ['--import', 'tsx', '--conditions=@espalier/source', child, folder], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [resumedAt, error, told] = [-1, '', ''];
    run.stderr.on('data', (text) => {
      error += text;
    });
    run.stdout.on('data', (text) => {
      const lines = `${told}${text}`.split('\n');
      told = lines.pop() ?? '';
      for (const line of lines) {
        const [what, step] = line.split(' ');
        if (what === 'start') resumedAt = Number(step);
        if (what === 'step' && Number(step) >= killAfter) run.kill('SIGKILL');
      }
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
