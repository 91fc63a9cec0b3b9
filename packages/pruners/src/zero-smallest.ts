import type { Tensor, TypedArray } from '@espalier/core';
import type { Pattern } from './granularity.js';
import { elementsOf } from './pruning-keys.js';
import type { Cut } from './select-smallest.js';
import type { Reduction } from './weight-rules.js';

/** A pruned weight: the same object when nothing had to change. */
export interface Zeroed {
  readonly weight: Tensor;
  /** Elements that are zero now, and how many of them were before. */
  readonly zeros: number;
  readonly before: number;
}

/** Zeroes the elements below a cut, ties in the order of the elements. Gives back how many ties are left to use. */
export function zeroBelow(weight: Tensor, keys: Uint32Array, cut: Cut): Zeroed & { readonly ties: number } {
  const pruned = eraser(weight);
  let ties = cut.ties;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key < cut.key) pruned.erase(i);
    else if (key === cut.key && ties > 0) {
      ties--;
      pruned.erase(i);
    }
  }
  return { ...pruned.finish(), ties };
}

/**
 * Keeps the n largest of every m neighbours along the reduction axis and zeroes the rest; of equal ones the later
 * are kept. A weight [out, in, kh, kw] of a Conv has a group for each output, kernel place and m input channels.
 */
export function zeroByPattern(
  weight: Tensor,
  keys: Uint32Array,
  { pattern: { n, m }, reduction: { axis } }: { readonly pattern: Pattern; readonly reduction: Reduction },
): Zeroed {
  const pruned = eraser(weight);
  const { shape } = weight;
  const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const block = inner * m;
  const taken = new Uint8Array(m);
  for (let start = 0; start < keys.length; start += block) {
    for (let first = start; first < start + inner; first++) {
      taken.fill(0);
      for (let rank = 0; rank < m - n; rank++) {
        let least = -1;
        for (let k = 0; k < m; k++) {
          if (taken[k] === 0 && (least < 0 || keys[first + k * inner]! < keys[first + least * inner]!)) least = k;
        }
        taken[least] = 1;
        pruned.erase(first + least * inner);
      }
    }
  }
  return pruned.finish();
}

/** Writes zeros into a copy that is only made when an element that is not zero is erased. */
function eraser(weight: Tensor) {
  const elements = elementsOf(weight);
  let before = 0;
  for (let i = 0; i < elements.length; i++) if (elements[i] === 0) before++;
  let erased = 0;
  let data: TypedArray | undefined;
  return {
    erase(i: number) {
      if (elements[i] === 0) return;
      data ??= (weight.data as TypedArray).slice(); // floats are never strings
      data[i] = 0;
      erased++;
    },
    finish: (): Zeroed => ({
      weight: data ? ({ ...weight, data } as Tensor) : weight, // a slice has the class of its source
      zeros: before + erased,
      before,
    }),
  };
}
