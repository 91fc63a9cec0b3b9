import { sizeOf } from '@espalier/core';

/**
 * Where scales belong, as a shape of the rank of the codes: 1 along an axis on which one scale serves all, the size of
 * the axis where each index has its own, fewer where a block of indices shares one. Undefined when they do not fit.
 */
export type Align = (codes: readonly number[], scale: readonly number[]) => readonly number[] | undefined;

const ones = (codes: readonly number[]): readonly number[] => codes.map(() => 1);

/** One scale for each index of an axis (negative: from the end), or one for all. `[4, 3]` and `[3]` at 1: `[1, 3]`. */
export const alongAxis =
  (axis: number): Align =>
  (codes, scale) => {
    if (sizeOf(scale) === 1) return ones(codes);
    const at = axis < 0 ? axis + codes.length : axis;
    return sizeOf(scale) === codes[at] ? ones(codes).with(at, codes[at]!) : undefined;
  };

/** One scale for each block of indices of an axis, at every place beside it: the shape of the codes but for the axis. */
export const inBlocks =
  (axis: number, block: number): Align =>
  (codes, scale) => {
    const at = axis < 0 ? axis + codes.length : axis;
    if (codes[at] === undefined || block < 1) return undefined;
    const wanted = codes.with(at, Math.ceil(codes[at] / block));
    return wanted.length === scale.length && wanted.every((dim, i) => dim === scale[i]) ? wanted : undefined;
  };

/** As Mul aligns its operands: from the last axis on, 1 meaning all. */
export const broadcast: Align = (codes, scale) => {
  if (sizeOf(scale) === 1) return ones(codes);
  const aligned = codes.map((_, i) => scale[i - codes.length + scale.length] ?? 1);
  const fits = scale.length <= codes.length && aligned.every((dim, i) => dim === 1 || dim === codes[i]);
  return fits ? aligned : undefined;
};

/** Weights of a recurrent layer [directions, inputs, gates]: scales [directions, gates] or [directions]. */
export const byDirection: Align = (codes, scale) => {
  const [directions, , gates] = codes;
  const [first, second = 1] = scale;
  if (sizeOf(scale) === 1) return ones(codes);
  return codes.length === 3 && first === directions && (second === 1 || second === gates)
    ? [directions!, 1, second]
    : undefined;
};
