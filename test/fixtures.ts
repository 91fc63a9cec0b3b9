import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The folder of real models for tests, or undefined where there is none. */
export const modelsFolder = (): string | undefined => folder(process.env.ESPALIER_MODELS, '../shared/models');

/** The folder of real data sets for tests, or undefined where there is none. */
export const dataFolder = (): string | undefined => folder(process.env.ESPALIER_DATA, '../shared/data');

function folder(named: string | undefined, usual: string): string | undefined {
  const path = named ? resolve(named) : resolve(root, usual);
  return existsSync(path) ? path : undefined;
}
