import { ints, type Node } from '@espalier/core';
import { type Window, windowOf } from '@espalier/ops';

/** A window over two axes. */
export interface PlaneWindow extends Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

/** The window of a convolution or its gradients over two axes; undefined for others and automatic padding. */
export function planeWindow(node: Node, kernel: readonly number[]): PlaneWindow | undefined {
  const window = windowOf(node, { kernel });
  const { strides, dilations, pads, autoPad } = window;
  const fits = kernel.length === 2 && strides.length === 2 && dilations.length === 2 && pads.length === 4;
  return fits && autoPad === 'NOTSET' ? (window as PlaneWindow) : undefined; // lengths were checked just above
}

/** The attributes of a blocked convolution. */
export const windowAttributes = ({ kernel, strides, dilations, pads, group }: PlaneWindow) => ({
  kernel_shape: ints(kernel),
  strides: ints(strides),
  dilations: ints(dilations),
  pads: ints(pads),
  group: { kind: 'int', value: group } as const,
});
