import { runCommandLine } from '../src/command-line.js';
import type { Surroundings } from '../src/surroundings.js';

/** Runs the command line in a folder and returns what it wrote; `watch` sees each line of progress. */
export async function runIn(
  cwd: string,
  args: readonly string[],
  { watch, ...more }: Partial<Surroundings> & { readonly watch?: (text: string) => void } = {},
) {
  let [out, error] = ['', ''];
  const code = await runCommandLine(args, {
    cwd,
    environment: {},
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
      watch?.(text);
    },
    terminal: false,
    ...more,
  });
  return { code, out, error };
}
