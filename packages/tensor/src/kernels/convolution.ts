import { intOf, intsOf, sizeOf, textOf } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Block } from '../heap.js';
import type { Call, Kernel } from '../kernel.js';
import { at, need, refuse } from '../operands.js';
import { copyView } from '../strided.js';
import { blockOf, derive, deviceValue, type Value } from '../value.js';

/** A window over images, always with two spatial axes: one-dimensional ones get a leading axis of size 1. */
export interface Window {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Borders at the beginning and at the end. */
  readonly begin: Pair;
  readonly end: Pair;
}

/** Along rows, and along columns. */
export type Pair = readonly [number, number];

/** The size of an image. */
export interface Image {
  readonly batch: number;
  readonly channels: number;
  readonly size: Pair;
}

const pairOf = (list: readonly number[], missing: number): Pair =>
  list.length === 1 ? [missing, list[0]!] : [list[0]!, list[1]!]; // one or two, as checked by imageOf

/** The image behind a value [N, C, H, W] or [N, C, W]. */
export function imageOf(c: Call, shape: readonly number[]): Image {
  if (shape.length < 3 || shape.length > 4) refuse(c, `${shape.length - 2} spatial axes`);
  const [batch, channels, ...size] = shape as [number, number, ...number[]]; // three axes at least
  return { batch, channels, size: pairOf(size, 1) };
}

/** The window of a node, automatic padding resolved. */
export function windowOf(c: Call, image: Image, kernelShape: readonly number[]): Window {
  const kernel = pairOf(kernelShape, 1);
  const strides = pairOf(
    intsOf(
      c.node,
      'strides',
      kernelShape.map(() => 1),
    ),
    1,
  );
  const dilations = pairOf(
    intsOf(
      c.node,
      'dilations',
      kernelShape.map(() => 1),
    ),
    1,
  );
  const auto = textOf(c.node, 'auto_pad', 'NOTSET');
  if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    const total = ([0, 1] as const).map((i) => {
      const steps = Math.ceil(image.size[i] / strides[i]);
      return Math.max(0, (steps - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - image.size[i]);
    });
    const small = total.map((pad) => Math.floor(pad / 2)) as unknown as Pair; // two, as the axes are
    const large = total.map((pad) => Math.ceil(pad / 2)) as unknown as Pair;
    const upper = auto === 'SAME_UPPER';
    return { kernel, strides, dilations, begin: upper ? small : large, end: upper ? large : small };
  }
  const pads = auto === 'VALID' ? [] : intsOf(c.node, 'pads', []);
  const half = pads.length / 2;
  const begin = half ? pairOf(pads.slice(0, half), 0) : ([0, 0] as const);
  const end = half ? pairOf(pads.slice(half), 0) : ([0, 0] as const);
  return { kernel, strides, dilations, begin, end };
}

/** Number of places of a window along one axis. */
export const places = (window: Window, image: Image, axis: 0 | 1, ceil = false): number => {
  const room =
    image.size[axis] + window.begin[axis] + window.end[axis] - (window.kernel[axis] - 1) * window.dilations[axis] - 1;
  const count = (ceil ? Math.ceil : Math.floor)(room / window.strides[axis]) + 1;
  // A last window that begins behind the image and its first border does not count.
  if (ceil && (count - 1) * window.strides[axis] >= image.size[axis] + window.begin[axis])
    return Math.max(0, count - 1);
  return Math.max(0, count);
};

/** The spatial part of an output's shape, of the rank of the input. */
export const spatialShape = (rank: number, size: Pair): readonly number[] => (rank === 3 ? [size[1]] : size);

/** An image with its borders in memory; `release` lets it go. */
export interface Framed {
  readonly pointer: number;
  readonly size: Pair;
  release(): void;
}

/** The channels-last image of a value with borders of zeros around it, spread where strides have to be filled. */
export function framed(
  c: Call,
  value: Value,
  { begin, size, spread = [1, 1] }: { readonly begin: Pair; readonly size: Pair; readonly spread?: Pair },
): Framed {
  const image = imageOf(c, value.shape);
  const { pointer } = blockOf(c.heap, value, 'last');
  const same = ([0, 1] as const).every((i) => begin[i] === 0 && size[i] === image.size[i] && spread[i] === 1);
  if (same) return { pointer, size, release: () => {} };
  const block = c.heap.allocate(image.batch * size[0] * size[1] * image.channels);
  c.heap.kernels.frame(
    pointer,
    block.pointer,
    image.batch,
    image.size[0],
    image.size[1],
    image.channels,
    size[0],
    size[1],
    begin[0],
    begin[1],
    spread[0],
    spread[1],
  );
  return { pointer: block.pointer, size, release: () => c.heap.release(block) };
}

/** The frame that a window needs around an image. */
export const frameOf = (window: Window, image: Image): { readonly begin: Pair; readonly size: Pair } => ({
  begin: window.begin,
  size: [image.size[0] + window.begin[0] + window.end[0], image.size[1] + window.begin[1] + window.end[1]],
});

/** Strides in elements of the axes of a weight: group, output channel within it, input channel, and the taps. */
interface WeightStrides {
  readonly first: number;
  readonly group: number;
  readonly output: number;
  readonly input: number;
  readonly taps: Pair;
}

/** Weights as `convolve` wants them: panels of eight output channels, [group][panel][kh][kw][input][8]. */
function panelsOf(
  c: Call,
  pointer: number,
  of: { readonly group: number; readonly outputs: number; readonly inputs: number; readonly kernel: Pair },
  strides: WeightStrides,
): Block {
  const { group, outputs, inputs, kernel } = of;
  const panels = Math.ceil(outputs / 8);
  const panel = kernel[0] * kernel[1] * inputs * 8;
  const block = c.heap.allocate(group * panels * panel);
  if (outputs % 8 !== 0) c.heap.kernels.fill(block.pointer, block.count, 0);
  const whole = Math.floor(outputs / 8);
  const part = (from: number, count: number, lanes: number) =>
    copyView(c.heap, {
      shape: [group, count, lanes, inputs, ...kernel],
      source: {
        pointer: pointer + 4 * (strides.first + from * 8 * strides.output),
        strides: [strides.group, 8 * strides.output, strides.output, strides.input, ...strides.taps],
      },
      target: {
        pointer: block.pointer + 4 * from * panel,
        strides: [panels * panel, panel, 1, 8, kernel[1] * inputs * 8, inputs * 8],
      },
    });
  if (whole > 0) part(0, whole, 8);
  if (outputs % 8 !== 0) part(whole, 1, outputs % 8);
  return block;
}

/** Depthwise weights [K, 1, kh, kw] as [kh][kw][K]. */
export const tapsOf = (c: Call, weight: Value, kernel: Pair): Block =>
  derive(weight, 'taps', () => {
    const outputs = weight.shape[0]!;
    const block = c.heap.allocate(sizeOf(weight.shape));
    const area = kernel[0] * kernel[1];
    copyView(c.heap, {
      shape: [outputs, area],
      source: { pointer: blockOf(c.heap, weight, 'plain').pointer, strides: [area, 1] },
      target: { pointer: block.pointer, strides: [1, outputs] },
    });
    return block;
  });

const conv: Kernel = (c) => {
  const [x, w] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, x.shape);
  const window = windowOf(c, image, w.shape.slice(2));
  const group = intOf(c.node, 'group', 1);
  const outputs = w.shape[0]!;
  if (w.shape.length !== x.shape.length || image.channels !== w.shape[1]! * group || outputs % group !== 0)
    throw wrongShapes(c.node, 'weights that fit the input', `[${x.shape.join(',')}] and [${w.shape.join(',')}]`);
  const size: Pair = [places(window, image, 0), places(window, image, 1)];
  const out = c.heap.allocate(image.batch * outputs * size[0] * size[1]);
  const bias = c.inputs[2] ? at(c, 2) : 0;
  const frame = framed(c, x, frameOf(window, image));
  if (group === image.channels && group > 1) {
    const taps = tapsOf(c, w, window.kernel);
    c.heap.kernels.depthwise(
      frame.pointer,
      taps.pointer,
      bias,
      out.pointer,
      ...geometry(frame, image, size, outputs),
      ...steps(window),
    );
  } else {
    const inputs = image.channels / group;
    const area = window.kernel[0] * window.kernel[1];
    const panels = derive(w, `panels${group}`, () =>
      panelsOf(
        c,
        blockOf(c.heap, w, 'plain').pointer,
        { group, outputs: outputs / group, inputs, kernel: window.kernel },
        {
          first: 0,
          group: (outputs / group) * inputs * area,
          output: inputs * area,
          input: area,
          taps: [window.kernel[1], 1],
        },
      ),
    );
    c.heap.kernels.convolve(
      frame.pointer,
      panels.pointer,
      bias,
      out.pointer,
      ...geometry(frame, image, size, outputs),
      ...steps(window),
      group,
    );
  }
  frame.release();
  return [deviceValue(x.dtype, [image.batch, outputs, ...spatialShape(x.shape.length, size)], out, 'last')];
};

type Geometry = readonly [number, number, number, number, number, number, number];

/** n, hp, wp, c, ho, wo, k: what every convolution routine takes. */
const geometry = (frame: Framed, image: Image, size: Pair, outputs: number): Geometry => [
  image.batch,
  ...frame.size,
  image.channels,
  ...size,
  outputs,
];

/** kh, kw, sh, sw, dh, dw. */
const steps = (window: Window): readonly [number, number, number, number, number, number] => [
  ...window.kernel,
  ...window.strides,
  ...window.dilations,
];

/** dx of a convolution: dy spread by the strides, convolved with the kernel turned round and its channels exchanged. */
function inputGradient(
  c: Call,
  dy: Value,
  w: Value,
  of: { readonly window: Window; readonly size: Pair; readonly group: number },
): Block {
  const { window, size, group } = of;
  const image = imageOf(c, dy.shape);
  const [outputs, inputs] = [w.shape[0]!, w.shape[1]!];
  const { kernel, dilations, strides, begin } = window;
  const reach: Pair = [(kernel[0] - 1) * dilations[0], (kernel[1] - 1) * dilations[1]];
  if (image.channels !== outputs || outputs % group !== 0)
    throw wrongShapes(c.node, 'weights that fit the gradient', `[${dy.shape.join(',')}] and [${w.shape.join(',')}]`);
  const out = c.heap.allocate(image.batch * inputs * group * size[0] * size[1]);
  if (inputs === 1 && group > 1) {
    const full: Pair = [
      Math.max(size[0] + begin[0], (image.size[0] - 1) * strides[0] + reach[0] + 1),
      Math.max(size[1] + begin[1], (image.size[1] - 1) * strides[1] + reach[1] + 1),
    ];
    const wide = c.heap.allocate(image.batch * full[0] * full[1] * group);
    c.heap.kernels.depthwiseInputGradient(
      blockOf(c.heap, dy, 'last').pointer,
      tapsOf(c, w, kernel).pointer,
      wide.pointer,
      image.batch,
      ...full,
      group,
      ...image.size,
      outputs,
      ...steps(window),
    );
    c.heap.kernels.frame(wide.pointer, out.pointer, image.batch, ...full, group, ...size, -begin[0], -begin[1], 1, 1);
    c.heap.release(wide);
    return out;
  }
  const area = kernel[0] * kernel[1];
  const perGroup = outputs / group;
  const panels = derive(w, `turned${group}`, () =>
    panelsOf(
      c,
      blockOf(c.heap, w, 'plain').pointer,
      { group, outputs: inputs, inputs: perGroup, kernel },
      {
        first: area - 1,
        group: perGroup * inputs * area,
        output: area,
        input: inputs * area,
        taps: [-kernel[1], -1],
      },
    ),
  );
  const frame = framed(c, dy, {
    begin: [reach[0] - begin[0], reach[1] - begin[1]],
    size: [size[0] + reach[0], size[1] + reach[1]],
    spread: strides,
  });
  c.heap.kernels.convolve(
    frame.pointer,
    panels.pointer,
    0,
    out.pointer,
    ...geometry(frame, image, size, inputs * group),
    ...kernel,
    1,
    1,
    ...dilations,
    group,
  );
  frame.release();
  return out;
}

/** `espalier::ConvInputGradient(dy, w)`; its meaning is said beside its lowering. */
const convInputGradient: Kernel = (c) => {
  const [dy, w] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, dy.shape);
  const window = windowOf(c, image, w.shape.slice(2));
  const spatial = intsOf(c.node, 'input_shape', undefined) ?? refuse(c, 'no input_shape');
  const group = intOf(c.node, 'group', 1);
  const block = inputGradient(c, dy, w, { window, size: pairOf(spatial, 1), group });
  return [deviceValue(dy.dtype, [image.batch, w.shape[1]! * group, ...spatial], block, 'last')];
};

const convTranspose: Kernel = (c) => {
  const [x, w] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, x.shape);
  if (textOf(c.node, 'auto_pad', 'NOTSET').startsWith('SAME') || c.node.attributes.has('output_shape'))
    refuse(c, 'automatic padding or output_shape');
  const window = windowOf(c, image, w.shape.slice(2));
  const more = pairOf(intsOf(c.node, 'output_padding', [0, 0].slice(4 - x.shape.length)), 0);
  const size = ([0, 1] as const).map(
    (i) =>
      window.strides[i] * (image.size[i] - 1) +
      more[i] +
      (window.kernel[i] - 1) * window.dilations[i] +
      1 -
      window.begin[i] -
      window.end[i],
  ) as unknown as Pair; // two, as the axes are
  const group = intOf(c.node, 'group', 1);
  const block = inputGradient(c, x, w, { window, size, group });
  const channels = w.shape[1]! * group;
  if (c.inputs[2]) {
    const rows = image.batch * size[0] * size[1];
    const ones = c.heap.allocate(channels);
    c.heap.floats(ones).fill(1);
    c.heap.kernels.columnAffine(block.pointer, 0, block.pointer, rows, channels, ones.pointer, at(c, 2), 0);
    c.heap.release(ones);
  }
  return [deviceValue(x.dtype, [image.batch, channels, ...spatialShape(x.shape.length, size)], block, 'last')];
};

/** `espalier::ConvWeightGradient(x, dy)`. */
const convWeightGradient: Kernel = (c) => {
  const [x, dy] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, x.shape);
  const grown = imageOf(c, dy.shape);
  const kernelShape = intsOf(c.node, 'kernel_shape', undefined) ?? refuse(c, 'no kernel_shape');
  const window = windowOf(c, image, kernelShape);
  const group = intOf(c.node, 'group', 1);
  const { kernel } = window;
  const inputs = image.channels / group;
  const outputs = grown.channels;
  const gathered = c.heap.allocate(kernel[0] * kernel[1] * inputs * outputs);
  const frame = framed(c, x, frameOf(window, image));
  const dyPointer = blockOf(c.heap, dy, 'last').pointer;
  const sizes = geometry(frame, image, grown.size, outputs);
  if (group === image.channels && group > 1)
    c.heap.kernels.depthwiseWeightGradient(frame.pointer, dyPointer, gathered.pointer, ...sizes, ...steps(window));
  else
    c.heap.kernels.convolutionWeightGradient(
      frame.pointer,
      dyPointer,
      gathered.pointer,
      ...sizes,
      ...steps(window),
      group,
    );
  frame.release();
  const out = c.heap.allocate(gathered.count);
  const area = kernel[0] * kernel[1];
  copyView(c.heap, {
    shape: [outputs, inputs, area],
    source: { pointer: gathered.pointer, strides: [1, outputs, inputs * outputs] },
    target: { pointer: out.pointer, strides: [inputs * area, area, 1] },
  });
  c.heap.release(gathered);
  return [deviceValue(x.dtype, [outputs, inputs, ...kernelShape], out)];
};

/** Convolutions and their gradients. */
export const convolutionKernels = {
  Conv: conv,
  ConvTranspose: convTranspose,
  'espalier::ConvInputGradient': convInputGradient,
  'espalier::ConvWeightGradient': convWeightGradient,
} as const satisfies Record<string, Kernel>;
