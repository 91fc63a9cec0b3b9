import { decibels, snrLimits } from '@espalier/bounds';
import type { Tensor } from '@espalier/core';
import { numbersOf } from '@espalier/ops';
import { sizesDiffer } from '../errors.js';

/** The distance of numbers from their reference. */
export interface ErrorStats {
  /** Elements compared. */
  readonly count: number;
  /**
   * Signal-to-noise ratio in decibels, 10·log₁₀(Σr² / Σ(r-o)²), between -300 and 300. 300 means no difference that
   * float64 sums can see (equal, most often); -300 means a signal of zero, a NaN or infinity that the reference
   * does not have, or that neither has a finite number. Always a finite number, so that it survives JSON and comparisons.
   */
  readonly snrDb: number;
  /** Largest |r - o|; Number.MAX_VALUE where one of the two is not finite. */
  readonly maxAbs: number;
  /** Root of the mean squared difference, over finite elements. */
  readonly rmse: number;
  /** Cosine of the angle between the two, Σro / √(Σr²Σo²); 1 when both are zero, 0 when one is. */
  readonly cosine: number;
  /** Elements where just one of the two is finite, or where both are not and differ. */
  readonly nonFinite: number;
  /** Elements that neither has as a finite number: nothing can be said of them. */
  readonly undefinedBoth: number;
}

/** Adds up differences piece by piece, so that any number of samples needs the memory of one. */
export interface ErrorMeter {
  /** @throws COMPARE_SIZE when the two do not have the same length. */
  add(reference: ArrayLike<number>, other: ArrayLike<number>): void;
  /** The same for tensors. @throws COMPARE_SIZE, TENSOR_DTYPE. */
  addTensors(reference: Tensor, other: Tensor): void;
  read(): ErrorStats;
}

/** The smallest normal float32. Runtimes flush what is below to zero, or not, as they like. */
const smallestNormal = 2 ** -126;

/** A new meter; `where` names what is compared in error messages. */
export function createErrorMeter(where = 'comparison'): ErrorMeter {
  let count = 0;
  let signal = 0;
  let noise = 0;
  let power = 0;
  let product = 0;
  let maxAbs = 0;
  let nonFinite = 0;
  let undefinedBoth = 0;
  const add = (reference: ArrayLike<number>, other: ArrayLike<number>) => {
    if (reference.length !== other.length) {
      throw sizesDiffer(where, { expected: reference.length, found: other.length });
    }
    // Sums of one piece first, then to the total: less rounding, and locals are faster than captured variables.
    let rr = 0;
    let ee = 0;
    let oo = 0;
    let ro = 0;
    let most = maxAbs;
    for (let i = 0; i < reference.length; i++) {
      const r = reference[i]!;
      const o = other[i]!;
      const difference = r - o;
      const e = difference < smallestNormal && difference > -smallestNormal ? 0 : difference;
      if (e - e !== 0) {
        // Equal infinities and two NaNs are no break, but no agreement either.
        if (Object.is(r, o)) undefinedBoth++;
        else nonFinite++;
        continue;
      }
      rr += r * r;
      ee += e * e;
      oo += o * o;
      ro += r * o;
      const size = e < 0 ? -e : e;
      if (size > most) most = size;
    }
    count += reference.length;
    signal += rr;
    noise += ee;
    power += oo;
    product += ro;
    maxAbs = most;
  };
  return {
    add,
    addTensors: (reference, other) => add(numbersOf(reference), numbersOf(other)),
    read: () => ({
      count,
      snrDb: nonFinite > 0 || (count > 0 && undefinedBoth === count) ? snrLimits.lowest : decibels(signal, noise),
      maxAbs: nonFinite > 0 ? Number.MAX_VALUE : maxAbs,
      rmse: count === 0 ? 0 : Math.sqrt(noise / count),
      cosine: cosineOf(product, { signal, power }),
      nonFinite,
      undefinedBoth,
    }),
  };
}

function cosineOf(product: number, { signal, power }: { readonly signal: number; readonly power: number }): number {
  if (signal === 0 || power === 0) return signal === power ? 1 : 0;
  return Math.min(1, Math.max(-1, product / Math.sqrt(signal) / Math.sqrt(power)));
}
