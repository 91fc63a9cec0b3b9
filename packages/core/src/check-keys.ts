import { problem } from './errors.js';
import { didYouMean } from './nearest.js';
import { shown } from './shown.js';

/** The keys of an object type, each as `true`: it does not compile with one missing or one too many. */
export type KeysOf<T> = { readonly [K in keyof T]-?: true };

/**
 * Refuses keys that an options object does not have. Types refuse them in TypeScript; a caller without types would
 * otherwise be ignored without a word. `formerly` has names that options had before, with the current ones.
 *
 *     checkKeys<EvaluateRequest>('evaluate', request, { model: true, dataset: true, ... });
 *
 * @throws OPTION_UNKNOWN with the nearest spelling or the current name; OPTION_INVALID for what is no object.
 */
export function checkKeys<T extends object>(
  where: string,
  given: T,
  keys: KeysOf<T>,
  formerly: Readonly<Record<string, string>> = {},
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw problem('OPTION_INVALID', { where, expected: 'an object of options', found: shown(given) });
  }
  const key = Object.keys(given).find((name) => !Object.hasOwn(keys, name));
  if (key === undefined) return;
  const names = Object.keys(keys);
  const current = Object.hasOwn(formerly, key) ? `It is called ${formerly[key]} now. ` : didYouMean(key, names);
  throw problem('OPTION_UNKNOWN', {
    where,
    expected: `one of the options ${names.join(', ')}`,
    found: `"${key}"`,
    fix: `${current}Remove it or correct its name.`,
    details: { key },
  });
}
