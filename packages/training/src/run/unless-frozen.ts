import { matchNames } from '@espalier/core';
import type { Weights } from '../train-request.js';

/** New weights, except that those under a frozen name stay as they were. */
export function unlessFrozen(now: Weights, before: Weights, frozen: readonly string[]): Weights {
  if (frozen.length === 0) return now;
  const isFrozen = matchNames(frozen);
  return new Map([...now].map(([name, value]) => [name, isFrozen(name) ? (before.get(name) ?? value) : value]));
}
