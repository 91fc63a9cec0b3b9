import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Variant } from './variant.js';

const script = fileURLToPath(new URL('peer.py', import.meta.url));
const forms = ['eager nchw', 'eager channels_last', 'compiled nchw', 'compiled channels_last'];

/** What peer.py answers to a line. */
type Answer = { readonly wall: number; readonly used: number; readonly loss: number } | { readonly error: string };

/** PyTorch's steps on one number of threads, in a process of its own; forms that cannot run are named and left out. */
export async function openPeer(
  python: string,
  { model, batch, threads }: { readonly model: string; readonly batch: number; readonly threads: number },
): Promise<{ readonly variants: readonly Variant[]; readonly close: () => void }> {
  const child = spawn(python, [script, model, `${batch}`, `${threads}`], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: `${threads}` },
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ask = async (form: string): Promise<Answer> => {
    child.stdin.write(`${form}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python} ended: run "${python} ${script} ${model} ${batch} ${threads}" to see why`);
    return JSON.parse(value) as Answer; // peer.py wrote it
  };
  const variants: Variant[] = [];
  for (const form of forms) {
    const first = await ask(form); // compiles and warms up
    if ('error' in first) {
      console.log(`PyTorch ${form}, ${threads} threads: ${first.error}`);
      continue;
    }
    const step = async () => {
      const answer = await ask(form);
      if ('error' in answer) throw new Error(`PyTorch ${form}: ${answer.error}`);
      return answer;
    };
    variants.push({ name: `PyTorch ${form}, ${threads} thread${threads > 1 ? 's' : ''}`, threads, peer: true, step });
  }
  return { variants, close: () => void child.stdin.end() };
}
