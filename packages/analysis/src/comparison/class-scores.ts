import { isFloat, sizeOf, type Tensor } from '@espalier/core';

/**
 * Whether a tensor holds one row of at least two class scores for each sample: real numbers [N, C], further axes
 * being of size 1 ([N, C, 1, 1]).
 */
export const isClassScores = ({ dtype, shape }: Tensor, samples: number): boolean =>
  isFloat(dtype) &&
  shape.length >= 2 &&
  shape[0] === samples &&
  shape[1]! >= 2 &&
  sizeOf(shape) === samples * shape[1]!;

/** The name of the first output that holds class scores; undefined when there is none. */
export function scoresOutput(outputs: ReadonlyMap<string, Tensor>, samples: number): string | undefined {
  for (const [name, tensor] of outputs) if (isClassScores(tensor, samples)) return name;
  return undefined;
}

/** Index of the largest of `count` numbers from `from`; the first one of equals, -1 when all are NaN. */
export function argmax(
  values: ArrayLike<number>,
  { from, count }: { readonly from: number; readonly count: number },
): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const value = values[from + i]!;
    if (value > most || (best < 0 && value === most)) {
      most = value;
      best = i;
    }
  }
  return best;
}
