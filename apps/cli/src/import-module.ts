import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Runs a module and returns its exports. TypeScript is compiled on the way. */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  if (!/^\.[cm]?ts$/.test(extname(file))) return import(pathToFileURL(file).href);
  const { createJiti } = await import('jiti');
  return createJiti(import.meta.url).import(file);
}
