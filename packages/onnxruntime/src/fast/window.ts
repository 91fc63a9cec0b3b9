import { intOf, ints, intsOf, type Node, textOf } from '@espalier/core';

/** A window over two axes, with every list written out. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly group: number;
}

/** The window of a convolution or its gradients; undefined for other numbers of axes and automatic padding. */
export function windowOf(node: Node, kernel: readonly number[]): Window | undefined {
  const strides = intsOf(node, 'strides', [1, 1]);
  const dilations = intsOf(node, 'dilations', [1, 1]);
  const pads = intsOf(node, 'pads', [0, 0, 0, 0]);
  const fits = kernel.length === 2 && strides.length === 2 && dilations.length === 2 && pads.length === 4;
  if (!fits || textOf(node, 'auto_pad', 'NOTSET') !== 'NOTSET') return undefined;
  return { kernel, strides, dilations, pads, group: intOf(node, 'group', 1) } as Window; // lengths were checked just above
}

/** The attributes of a blocked convolution. */
export const windowAttributes = ({ kernel, strides, dilations, pads, group }: Window) => ({
  kernel_shape: ints(kernel),
  strides: ints(strides),
  dilations: ints(dilations),
  pads: ints(pads),
  group: { kind: 'int', value: group } as const,
});
