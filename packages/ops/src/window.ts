import { intOf, intsOf, type Node, textOf } from '@espalier/core';

/** A window that slides over spatial axes. Lists have one entry an axis; pads are all begins, then all ends. */
export interface Window<Size = number> {
  readonly kernel: readonly Size[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Zeros for SAME where the sizes of the input are not given: see `autoPad`. */
  readonly pads: readonly number[];
  /** The attribute as it stands: NOTSET, VALID, SAME_UPPER or SAME_LOWER. */
  readonly autoPad: string;
  readonly group: number;
}

/** Sizes that the attributes of a window refer to. */
export interface WindowSizes<Size = number> {
  readonly kernel: readonly Size[];
  /** Spatial sizes of the input, asked for where padding is SAME. */
  readonly input?: () => readonly number[];
}

/**
 * The window of a convolution, a pooling or their gradients, with every default written out. SAME padding is resolved
 * as ONNX defines it: ⌈n/s⌉ places need p = max(0, (⌈n/s⌉ - 1)·s + (k - 1)·d + 1 - n) in all, the odd one at the end
 * for SAME_UPPER and at the beginning for SAME_LOWER. A kernel of 3 over 5 with stride 2 has pads 1 and 1, over 6 with
 * SAME_UPPER 0 and 1.
 */
export function windowOf<Size = number>(node: Node, { kernel, input }: WindowSizes<Size>): Window<Size> {
  const list = (name: string, fallback: readonly number[]) => {
    const written = intsOf(node, name, []);
    return written.length > 0 ? written : fallback;
  };
  const ones = kernel.map(() => 1);
  const none = [...kernel, ...kernel].map(() => 0);
  const [strides, dilations] = [list('strides', ones), list('dilations', ones)];
  const autoPad = textOf(node, 'auto_pad', 'NOTSET');
  const group = intOf(node, 'group', 1);
  const window = { kernel, strides, dilations, autoPad, group };
  if (autoPad === 'NOTSET') return { ...window, pads: list('pads', none) };
  if (!autoPad.startsWith('SAME') || !input) return { ...window, pads: none };
  const total = input().map((size, axis) => {
    const reach = (Number(kernel[axis]) - 1) * dilations[axis]! + 1;
    return Math.max(0, (Math.ceil(size / strides[axis]!) - 1) * strides[axis]! + reach - size);
  });
  const small = total.map((pad) => Math.floor(pad / 2));
  const large = total.map((pad) => Math.ceil(pad / 2));
  return { ...window, pads: autoPad === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small] };
}
