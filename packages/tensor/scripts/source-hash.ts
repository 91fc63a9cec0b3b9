import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

const folder = new URL('../assembly/', import.meta.url);

/** SHA-256 over the names and contents of the AssemblyScript sources, in order of their names. */
export async function sourceHash(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).sort()) {
    hash.update(`${name}\n`).update(await readFile(new URL(name, folder)));
  }
  return hash.digest('hex');
}
