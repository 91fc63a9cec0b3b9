import type { Axis } from '@espalier/core';
import type { AxisSpace } from './axis-space.js';
import type { RelateOptions } from './relate-options.js';

/** A run of elements counted by `size` inside `stride`, part of one axis on each side. */
interface Digit {
  readonly size: number;
  readonly from: Place;
  readonly to: Place;
}

/** Where a digit stands: index i of the axis has `floor(i / stride) mod size` there. */
interface Place {
  readonly axis: Axis;
  readonly stride: number;
}

/** Axes on both sides that hold the same elements in the same order, with their common digits. */
export type Regrouping = readonly Digit[];

/**
 * Factors a reshape into its smallest independent parts: `[197, 768] -> [197, 12, 64]` is 197 = 197 and
 * 768 = 12·64. Axes that both sides count alike come back with one digit. Undefined where the sizes of a part have
 * no common factors in order, as in [4, 6] -> [6, 4].
 */
export function regroupings(from: readonly Axis[], to: readonly Axis[]): readonly (Regrouping | readonly Axis[])[] {
  const parts: (Regrouping | readonly Axis[])[] = [];
  const [ins, outs] = [from.filter(({ size }) => size > 1), to.filter(({ size }) => size > 1)];
  let [i, j] = [ins.length, outs.length];
  while (i > 0 || j > 0) {
    const [endI, endJ] = [i, j];
    let [a, b] = [i > 0 ? ins[--i]!.size : 1, j > 0 ? outs[--j]!.size : 1];
    while (a !== b) {
      if (a < b && i > 0) a *= ins[--i]!.size;
      else if (b < a && j > 0) b *= outs[--j]!.size;
      else break;
    }
    const [left, right] = [ins.slice(i, endI), outs.slice(j, endJ)];
    parts.push(a === b ? (digitsOf(left, right) ?? [...left, ...right]) : [...left, ...right]);
  }
  return parts;
}

/** Whether a part has digits; otherwise it is a list of axes that do not fit together. */
export const hasDigits = (part: Regrouping | readonly Axis[]): part is Regrouping =>
  part.length > 0 && 'from' in part[0]!;

// From the last axis on: each digit ends where an axis of either side ends.
function digitsOf(ins: readonly Axis[], outs: readonly Axis[]): Regrouping | undefined {
  const digits: Digit[] = [];
  let [i, j] = [ins.length - 1, outs.length - 1];
  let [inner, outer] = [1, 1]; // strides within the axis of each side
  while (i >= 0 && j >= 0) {
    const [x, y] = [ins[i]!, outs[j]!];
    const [restX, restY] = [x.size / inner, y.size / outer];
    const size = Math.min(restX, restY);
    if (restX % size !== 0 || restY % size !== 0) return undefined;
    digits.unshift({
      size,
      from: { axis: x, stride: inner },
      to: { axis: y, stride: outer },
    });
    inner *= size;
    outer *= size;
    if (inner === x.size) [i, inner] = [i - 1, 1];
    if (outer === y.size) [j, outer] = [j - 1, 1];
  }
  return digits;
}

const reason = 'a reshape makes it part of an axis that cannot be cut there';

const fixed = (space: AxisSpace, { start, size }: Axis): boolean => {
  for (let i = 0; i < size; i++) if (space.reasonOf(start + i) === undefined) return false;
  return true;
};

// A digit can be cut only when no axis that contains it is fixed.
const lives = (space: AxisSpace, { from, to }: Digit): boolean => !fixed(space, from.axis) && !fixed(space, to.axis);

/** Pins every axis of a part. */
export function pinPart(space: AxisSpace, axes: readonly Axis[], why = reason): void {
  for (const { start, size } of axes) for (let i = 0; i < size; i++) space.pin(start + i, why);
}

/**
 * Decides which digit of each part is cut, for a cut of an axis such as 768 = 12·64 must take whole heads, or the
 * same place of each head, and cannot do both. Digits that are fixed elsewhere are out; where several are left,
 * one that numbers independent products (heads) is taken (or left, for the dimension of heads), then the largest, then
 * the outermost.
 */
export function settleRegroupings(
  space: AxisSpace,
  parts: readonly Regrouping[],
  { attention = 'head' }: RelateOptions = {},
): void {
  const worth = attention === 'head' ? 2 ** 32 : -(2 ** 32);
  let open = parts;
  while (open.length > 0) {
    const before = space.changes();
    open = open.filter((part) => {
      const living = part.filter((digit) => lives(space, digit));
      if (living.length > 1) return true;
      carry(space, part, living);
      return false;
    });
    if (open.length === 0 || space.changes() !== before) continue;
    const [first, ...rest] = open as readonly [Regrouping, ...Regrouping[]]; // not empty
    const living = first.filter((digit) => lives(space, digit));
    const chosen = [...living].sort(
      (x, y) => rank(space, y, { living, worth }) - rank(space, x, { living, worth }),
    )[0]!;
    carry(space, first, [chosen]);
    open = rest;
  }
}

function rank(
  space: AxisSpace,
  digit: Digit,
  { living, worth }: { readonly living: Regrouping; readonly worth: number },
): number {
  const alone = (axis: Axis) =>
    living.every((each) => each === digit || (each.from.axis !== axis && each.to.axis !== axis));
  const heads = [digit.from.axis, digit.to.axis].some((axis) => alone(axis) && space.marked(axis.start, 'products'));
  return (heads ? worth : 0) + digit.size;
}

function carry(space: AxisSpace, part: Regrouping, carriers: readonly Digit[]): void {
  const carried = new Set<Axis>();
  for (const { size, from, to } of carriers) {
    const first = representative(to);
    for (const place of [from, to]) {
      carried.add(place.axis);
      for (let i = 0; i < place.axis.size; i++) {
        space.join(place.axis.start + i, first(Math.floor(i / place.stride) % size));
      }
    }
  }
  for (const { from, to } of part) {
    for (const { axis } of [from, to]) if (!carried.has(axis)) pinPart(space, [axis]);
  }
}

const representative =
  ({ axis, stride }: Place) =>
  (digit: number): number =>
    axis.start + digit * stride;
