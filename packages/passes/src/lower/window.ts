import { type Attribute, ints, intsOf, type Node } from '@espalier/core';
import { type Window, windowOf } from '@espalier/ops';
import { loweringRefused } from '../errors.js';

/** The window of a gradient op's attributes. @throws PASS_LOWERING on lists of the wrong length or range. */
export function checkedWindow(node: Node): Window {
  const kernel = intsOf(node, 'kernel_shape', []);
  const check = (name: string, count: number, least: number) => {
    const given = intsOf(node, name, undefined);
    if (!given || (given.length === count && given.every((value) => value >= least))) return;
    throw loweringRefused(node, {
      expected: `attribute "${name}" of ${count} numbers, each ${least} or more`,
      found: `[${given.join(', ')}]`,
    });
  };
  if (kernel.length === 0) throw loweringRefused(node, { expected: 'attribute "kernel_shape"', found: 'none' });
  const axes = kernel.length;
  for (const name of ['kernel_shape', 'strides', 'dilations']) check(name, axes, 1);
  check('pads', 2 * axes, 0);
  return windowOf(node, { kernel });
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
