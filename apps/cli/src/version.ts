import { readFileSync } from 'node:fs';

const facts: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Version of the command line's package. */
export const version: string =
  typeof facts === 'object' && facts !== null && 'version' in facts ? String(facts.version) : 'unknown';
