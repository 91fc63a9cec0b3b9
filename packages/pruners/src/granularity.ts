import { badGranularity } from './errors.js';

/** `n` of every `m` neighbours along the reduction axis are kept: `{ n: 2, m: 4 }` keeps half of them. */
export interface Pattern {
  readonly n: number;
  readonly m: number;
}

/** The weights that are pruned together: single weights, or n of every m neighbours. */
export type Granularity = 'weight' | Pattern;

/** A pattern as text: `2:4`. */
export const patternText = ({ n, m }: Pattern): string => `${n}:${m}`;

/** The share of weights that a pattern makes zero: 1 - n / m. */
export const patternSparsity = ({ n, m }: Pattern): number => 1 - n / m;

/**
 * The granularity that a text names: `weight`, or a pattern such as `2:4`.
 * @throws PRUNE_GRANULARITY.
 */
export function readGranularity(text: string): Granularity {
  if (text === 'weight') return 'weight';
  const found = /^(\d{1,3}):(\d{1,3})$/.exec(text);
  if (!found) throw badGranularity(text);
  return checkGranularity({ n: Number(found[1]), m: Number(found[2]) });
}

/** The same granularity when it is a sound one. @throws PRUNE_GRANULARITY. */
export function checkGranularity(granularity: Granularity): Granularity {
  if (granularity === 'weight') return granularity;
  const { n, m } = (typeof granularity === 'object' ? granularity : undefined) ?? { n: 0, m: 0 }; // callers without a compiler
  if (!Number.isInteger(n) || !Number.isInteger(m) || n < 1 || n >= m || m > 256) throw badGranularity(granularity);
  return granularity;
}
