import { int, intOf, ints, intsOf, type ValueId } from '@espalier/core';
import type { Derivative, DerivativeContext } from '../derivative.js';
import { unsupportedForm } from '../errors.js';
import { spatial, windowAt, windowAttributes } from './conv.js';

const kernelOf = (c: DerivativeContext): readonly number[] => intsOf(c.node, 'kernel_shape', []);

const maxPool: Derivative = (c) => [
  c.emit('espalier::MaxPoolGradient', [c.input(0), c.output(0), c.gradient(0)], {
    ...windowAttributes(windowAt(c, c.input(0), kernelOf(c))),
    ceil_mode: int(intOf(c.node, 'ceil_mode', 0)),
  }),
];

/**
 * Averages are a depthwise convolution with equal weights; its input gradient spreads dy over each window. Windows at
 * the border count only what lies inside the image unless `count_include_pad` is set, so dy is divided by the counts
 * first; they are the same pooling of an image of ones, computed once per graph by constant folding.
 */
const averagePool: Derivative = (c) => {
  const x = c.input(0);
  const kernel = kernelOf(c);
  const window = reaching(c, windowAt(c, x, kernel));
  const area = kernel.reduce((product, size) => product * size, 1);
  const included = intOf(c.node, 'count_include_pad', 0) === 1 || window.pads.every((pad) => pad === 0);
  const dy = included
    ? c.emit('Mul', [c.gradient(0), c.scalar(1 / area)])
    : c.emit('Mul', [c.gradient(0), inverseCounts(c, { size: spatial(c, x), kernel, window })]);
  const channels = c.shape(x)[1]!;
  if (typeof channels !== 'number') throw unsupportedForm(c.node, 'a known number of channels', `"${channels}"`);
  return [
    c.emit('espalier::ConvInputGradient', [dy, c.ones([channels, 1, ...kernel])], {
      ...windowAttributes(window),
      group: int(channels),
      input_shape: ints(spatial(c, x)),
    }),
  ];
};

type Window = ReturnType<typeof windowAt>;

/** In ceil mode the last window may reach beyond the end: as if there were more padding, which does not count. */
function reaching(c: DerivativeContext, window: Window): Window {
  if (intOf(c.node, 'ceil_mode', 0) === 0) return window;
  if (intOf(c.node, 'count_include_pad', 0) === 1) {
    throw unsupportedForm(c.node, 'count_include_pad 0 in ceil mode', 'count_include_pad 1');
  }
  const [size, places] = [spatial(c, c.input(0)), spatial(c, c.output(0))];
  const ends = size.map((length, axis) => {
    const reach = (window.kernel[axis]! - 1) * window.dilations[axis]! + 1;
    const last = (places[axis]! - 1) * window.strides[axis]! + reach - window.pads[axis]!;
    return Math.max(last - length, window.pads[axis + size.length]!);
  });
  return { ...window, pads: [...window.pads.slice(0, size.length), ...ends] };
}

function inverseCounts(
  c: DerivativeContext,
  {
    size,
    kernel,
    window,
  }: { readonly size: readonly number[]; readonly kernel: readonly number[]; readonly window: Window },
): ValueId {
  // Counts are a product over axes: how many taps of each window fall inside.
  const perAxis = size.map((length, axis) => {
    const [stride, dilation] = [window.strides[axis]!, window.dilations[axis]!];
    const [begin, end] = [window.pads[axis]!, window.pads[axis + size.length]!];
    const steps = Math.floor((length + begin + end - (kernel[axis]! - 1) * dilation - 1) / stride) + 1;
    return Array.from({ length: steps }, (_, i) => {
      const taps = Array.from({ length: kernel[axis]! }, (__, k) => i * stride - begin + k * dilation);
      return taps.filter((at) => at >= 0 && at < length).length;
    });
  });
  const counts = perAxis.reduce((all, axis) => all.flatMap((count) => axis.map((each) => count * each)), [1]);
  return c.floats(
    counts.map((count) => 1 / count),
    [1, 1, ...perAxis.map((axis) => axis.length)],
  );
}

/** dy spread evenly: dx = dy / (H·W), broadcast over the image. */
const globalAveragePool: Derivative = (c) => {
  const size = spatial(c, c.input(0));
  const area = size.reduce((product, each) => product * each, 1);
  const part = c.emit('Mul', [c.gradient(0), c.scalar(1 / area)]);
  return [c.emit('Expand', [part, c.longs([1, 1, ...size])])];
};

const globalMaxPool: Derivative = (c) => {
  const size = spatial(c, c.input(0));
  return [
    c.emit('espalier::MaxPoolGradient', [c.input(0), c.output(0), c.gradient(0)], {
      ...windowAttributes({
        kernel: size,
        strides: size,
        dilations: size.map(() => 1),
        pads: [...size, ...size].map(() => 0),
      }),
      ceil_mode: int(0),
    }),
  ];
};

/** Which element won does not change when x moves a little; dy is read back from the winners' places. */
const maxPoolGradient: Derivative = (c) => {
  const attributes = Object.fromEntries([...c.node.attributes].filter(([name]) => name !== 'group'));
  const [, indices] = c.emitAll('MaxPool', [c.input(0)], { outputs: 2, attributes });
  const flat = (value: ValueId) => c.emit('Reshape', [value, c.longs([-1])]);
  const read = c.emit('Gather', [flat(c.gradient(0)!), flat(indices!)]);
  return [undefined, undefined, c.emit('Reshape', [read, c.shapeOf(c.input(2))])];
};

/** Poolings. */
export const pooling = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  'espalier::MaxPoolGradient': maxPoolGradient,
} satisfies Readonly<Record<string, Derivative>>;
