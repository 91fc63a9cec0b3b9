/** A threshold: keys below `key` are chosen, and the first `ties` of those equal to it. */
export interface Cut {
  readonly key: number;
  readonly ties: number;
}

const digits = [
  { shift: 21, bins: 2048 },
  { shift: 10, bins: 2048 },
  { shift: 0, bins: 1024 },
] as const;

/**
 * Where the `count` smallest of several lists of 32-bit keys end: a radix selection, three passes over the keys
 * whatever they are and however many are wanted, and no copy of them.
 * `smallest([Uint32Array.of(5, 1, 5), Uint32Array.of(9)], 2)` is `{ key: 5, ties: 1 }`.
 */
export function smallest(lists: readonly Uint32Array[], count: number): Cut {
  let prefix = 0;
  let left = count;
  for (const { shift, bins } of digits) {
    const counts = new Float64Array(bins);
    const above = shift === 21 ? 32 : shift === 10 ? 21 : 10;
    for (const keys of lists) {
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i]!;
        if (above === 32 || key >>> above === prefix) counts[(key >>> shift) & (bins - 1)]!++;
      }
    }
    let digit = 0;
    while (digit < bins - 1 && left > counts[digit]!) left -= counts[digit++]!;
    prefix = prefix * bins + digit;
  }
  return { key: prefix, ties: left };
}
