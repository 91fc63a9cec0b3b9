import { type Attribute, intOf, ints, intsOf, type Node } from '@espalier/core';
import { loweringRefused } from '../errors.js';

/** A sliding window, with every list written out: one entry an axis; pads begin entries before end entries. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly group: number;
}

/** The window of a gradient op's attributes. @throws PASS_LOWERING on lists of the wrong length or range. */
export function windowOf(node: Node): Window {
  const kernel = intsOf(node, 'kernel_shape', []);
  const list = (name: string, { count, fallback, least }: { count: number; fallback: number; least: number }) => {
    const given = intsOf(node, name, undefined) ?? new Array<number>(count).fill(fallback);
    if (given.length === count && given.every((each) => each >= least)) return given;
    throw loweringRefused(node, {
      expected: `attribute "${name}" of ${count} numbers, each ${least} or more`,
      found: `[${given.join(', ')}]`,
    });
  };
  if (kernel.length === 0) throw loweringRefused(node, { expected: 'attribute "kernel_shape"', found: 'none' });
  const axes = kernel.length;
  list('kernel_shape', { count: axes, fallback: 1, least: 1 });
  return {
    kernel,
    strides: list('strides', { count: axes, fallback: 1, least: 1 }),
    dilations: list('dilations', { count: axes, fallback: 1, least: 1 }),
    pads: list('pads', { count: 2 * axes, fallback: 0, least: 0 }),
    group: intOf(node, 'group', 1),
  };
}

/** The attributes that a standard op takes for a window. */
export const windowAttributes = ({
  kernel,
  strides,
  dilations,
  pads,
}: Pick<Window, 'kernel' | 'strides' | 'dilations' | 'pads'>): Readonly<Record<string, Attribute>> => ({
  kernel_shape: ints(kernel),
  strides: ints(strides),
  dilations: ints(dilations),
  pads: ints(pads),
});

/** Places that the window takes along an axis of `size`: ⌊(size + pads - reach)/stride⌋ + 1. */
export function placesOf({ kernel, strides, dilations, pads }: Window, axis: number, size: number): number {
  const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
  return Math.floor((size + pads[axis]! + pads[axis + kernel.length]! - reach) / strides[axis]!) + 1;
}
