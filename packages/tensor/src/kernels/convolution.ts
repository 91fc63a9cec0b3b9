import { intOf, intsOf } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Block } from '../heap.js';
import type { Call, Kernel } from '../kernel.js';
import { at, need, refuse } from '../operands.js';
import { copyView } from '../strided.js';
import { blockOf, derive, deviceValue, type Value } from '../value.js';
import { panelsOf, tapsOf } from './convolution-weights.js';
import { type Framed, framed, frameOf } from './frame.js';
import {
  type Image,
  type ImageWindow,
  imageOf,
  imageWindow,
  type Pair,
  pairOf,
  places,
  spatialShape,
  transposedSize,
} from './window.js';

const conv: Kernel = (c) => {
  const [x, w] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, x.shape);
  const window = imageWindow(c, image, w.shape.slice(2));
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
const steps = (window: ImageWindow): readonly [number, number, number, number, number, number] => [
  ...window.kernel,
  ...window.strides,
  ...window.dilations,
];

/** dx of a convolution: dy spread by the strides, convolved with the kernel rotated 180 degrees and its channels swapped. */
function inputGradient(
  c: Call,
  dy: Value,
  w: Value,
  of: { readonly window: ImageWindow; readonly size: Pair; readonly group: number },
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
  const window = imageWindow(c, image, w.shape.slice(2));
  const spatial = intsOf(c.node, 'input_shape', undefined) ?? refuse(c, 'no input_shape');
  const group = intOf(c.node, 'group', 1);
  const block = inputGradient(c, dy, w, { window, size: pairOf(spatial, 1), group });
  return [deviceValue(dy.dtype, [image.batch, w.shape[1]! * group, ...spatial], block, 'last')];
};

const convTranspose: Kernel = (c) => {
  const [x, w] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, x.shape);
  const window = imageWindow(c, image, w.shape.slice(2));
  const size = transposedSize(c, image, window);
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
  const window = imageWindow(c, image, kernelShape);
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
