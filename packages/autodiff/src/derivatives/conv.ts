import { type Attribute, type Dim, int, intOf, ints, intsOf, textOf, type ValueId } from '@espalier/core';
import { type Window, windowOf } from '@espalier/ops';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';

/** Attributes of a window with every default written out and automatic padding resolved. */
export const windowAt = (c: DerivativeContext, input: ValueId, kernel: readonly number[]): Window =>
  windowOf(c.node, { kernel, input: () => spatial(c, input) });

/** The spatial sizes of a value [N, C, ...]. @throws AUTODIFF_FORM when one is symbolic. */
export function spatial(c: DerivativeContext, value: ValueId): readonly number[] {
  return c
    .shape(value)
    .slice(2)
    .map((dim: Dim) => {
      if (typeof dim === 'number') return dim;
      throw unsupportedForm(c.node, `a known spatial size of "${value}"`, `"${dim}"`);
    });
}

/** The attributes of a window as a node carries them. */
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

const sumOverAllButChannels = (c: DerivativeContext, dy: ValueId): ValueId => {
  const rank = c.shape(c.output(0)).length;
  const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);
  return c.emit('ReduceSum', [dy, c.longs(axes)], { keepdims: int(0) });
};

function kernelOf(c: DerivativeContext): readonly number[] {
  return spatial(c, c.input(1));
}

const conv: Derivative = (c) => {
  const dy = c.gradient(0)!;
  const [x, w] = [c.input(0), c.input(1)];
  const attributes = { ...windowAttributes(windowAt(c, x, kernelOf(c))), group: int(intOf(c.node, 'group', 1)) };
  return [
    c.wants(0)
      ? c.emit('espalier::ConvInputGradient', [dy, w], { ...attributes, input_shape: ints(spatial(c, x)) })
      : undefined,
    c.wants(1) ? c.emit('espalier::ConvWeightGradient', [x, dy], attributes) : undefined,
    c.node.inputs[2] !== undefined && c.wants(2) ? sumOverAllButChannels(c, dy) : undefined,
  ];
};

/** A transposed convolution is the input gradient of a convolution, so its own gradients are a convolution's other parts. */
const convTranspose: Derivative = (c) => {
  const dy = c.gradient(0)!;
  const [x, w] = [c.input(0), c.input(1)];
  const kernel = kernelOf(c);
  if (c.node.attributes.has('output_shape') || textOf(c.node, 'auto_pad', 'NOTSET').startsWith('SAME')) {
    throw unsupportedForm(c.node, 'explicit pads', 'output_shape or automatic padding');
  }
  const attributes = { ...windowAttributes(windowAt(c, x, kernel)), group: int(intOf(c.node, 'group', 1)) };
  return [
    c.wants(0) ? c.emit('Conv', [dy, w], attributes) : undefined,
    c.wants(1) ? c.emit('espalier::ConvWeightGradient', [dy, x], attributes) : undefined,
    c.node.inputs[2] !== undefined && c.wants(2) ? sumOverAllButChannels(c, dy) : undefined,
  ];
};

/** Linear in dy and in w: the transpose of an input gradient is the convolution itself. */
const inputGradient: Derivative = (c) => {
  const g = c.gradient(0)!;
  const [dy, w] = [c.input(0), c.input(1)];
  const attributes = {
    ...windowAttributes(windowAt(c, c.output(0), kernelOf(c))),
    group: int(intOf(c.node, 'group', 1)),
  };
  return [
    c.wants(0) ? c.emit('Conv', [g, w], attributes) : undefined,
    c.wants(1) ? c.emit('espalier::ConvWeightGradient', [g, dy], attributes) : undefined,
  ];
};

/** Linear in x and in dy. */
const weightGradient: Derivative = (c) => {
  const g = c.gradient(0)!;
  const [x, dy] = [c.input(0), c.input(1)];
  const window = windowAt(c, x, intsOf(c.node, 'kernel_shape', []));
  const attributes = { ...windowAttributes(window), group: int(intOf(c.node, 'group', 1)) };
  return [
    c.wants(0)
      ? c.emit('espalier::ConvInputGradient', [dy, g], { ...attributes, input_shape: ints(spatial(c, x)) })
      : undefined,
    c.wants(1) ? c.emit('Conv', [x, g], attributes) : undefined,
  ];
};

/** Convolutions. */
export const convolution = {
  Conv: conv,
  ConvTranspose: convTranspose,
  'espalier::ConvInputGradient': inputGradient,
  'espalier::ConvWeightGradient': weightGradient,
} satisfies Readonly<Record<string, Derivative>>;
