import { intOf, intsOf } from '@espalier/core';
import type { Tensor as Device, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { wrongShapes } from '../../errors.js';
import {
  type ImageWindow,
  imageOf,
  imageWindow,
  type Pair,
  pairOf,
  places,
  transposedSize,
} from '../../kernels/window.js';
import { refuse } from '../../operands.js';
import { at, type GpuCall, type GpuKernel, type GpuOp, made, need } from '../gpu-kernel.js';
import { derive } from '../gpu-value.js';
import { framed, fromImages, imagesAt, type Sliding, spread, tapOf, tapsOf } from './frame.js';
import { partOf } from './movement.js';

/** Images as TensorFlow.js pads them: rows and columns before and after. */
const explicit = ({
  begin,
  end,
}: ImageWindow): [[number, number], [number, number], [number, number], [number, number]] => [
  [0, 0],
  [begin[0], end[0]],
  [begin[1], end[1]],
  [0, 0],
];

/** Weights [K, C, kh, kw] of input `slot` as a filter [kh, kw, C, K]; kept with the value. */
const filterAt = (c: GpuCall, slot: number): Device =>
  derive(c.gpu, need(c, slot), 'filter', () => {
    const { shape } = need(c, slot);
    const [outputs, inputs] = [shape[0]!, shape[1]!];
    const kernel = pairOf(shape.slice(2), 1);
    return c.tf.transpose(c.tf.reshape(at(c, slot), [outputs, inputs, ...kernel]), [2, 3, 1, 0]);
  });

/** Parts of an axis, one for each group; the whole for one group. */
const groupsOf = (c: GpuCall, device: Device, axis: number, group: number): readonly Device[] => {
  const count = device.shape[axis]! / group;
  if (group === 1) return [device];
  return Array.from({ length: group }, (_, i) => partOf(c, device, { axis, from: i * count, count }));
};

/** The kernels of TensorFlow.js take strides or dilations, not both. */
const strided = ({ strides }: ImageWindow): boolean => strides.some((step) => step > 1);
const dilated = ({ dilations }: ImageWindow): boolean => dilations.some((step) => step > 1);
const spreadFilter = (c: GpuCall, filter: Device, { dilations }: ImageWindow): Device =>
  spread(c.tf, spread(c.tf, filter, 0, dilations[0]), 1, dilations[1]);

/** A convolution of images by one filter [kh, kw, C, K]. */
function convolved(c: GpuCall, images: Device, filter: Device, window: ImageWindow): Device {
  const both = strided(window) && dilated(window);
  const kernel = both ? spreadFilter(c, filter, window) : filter;
  const dilations: [number, number] = both ? [1, 1] : [...window.dilations];
  const [x, w] = [images as Tensor4D, kernel as Tensor4D]; // four axes each
  return c.tf.conv2d(x, w, [...window.strides], explicit(window), 'NHWC', dilations);
}

/** A convolution in which each channel has filters [kh, kw, C, multiplier] of its own. */
function depthwise(c: GpuCall, images: Device, filter: Device, window: ImageWindow): Device {
  const both = strided(window) && dilated(window);
  const kernel = both ? spreadFilter(c, filter, window) : filter;
  const dilations: [number, number] = both ? [1, 1] : [...window.dilations];
  const [x, w] = [images as Tensor4D, kernel as Tensor4D]; // four axes each
  return c.tf.depthwiseConv2d(x, w, [...window.strides], explicit(window), 'NHWC', dilations);
}

/** A filter [kh, kw, 1, C multiplier] as [kh, kw, C, multiplier]. */
const perChannel = (c: GpuCall, filter: Device, channels: number): Device =>
  c.tf.reshape(filter, [filter.shape[0]!, filter.shape[1]!, channels, filter.shape[3]! / channels]);

const conv: GpuKernel = (c) => {
  const [x, w] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, x.shape);
  const window = imageWindow(c, image, w.shape.slice(2));
  const group = intOf(c.node, 'group', 1);
  if (w.shape.length !== x.shape.length || image.channels !== w.shape[1]! * group || w.shape[0]! % group !== 0)
    throw wrongShapes(c.node, 'weights that fit the input', `[${x.shape.join(',')}] and [${w.shape.join(',')}]`);
  if (places(window, image, 0) === 0 || places(window, image, 1) === 0) return refuse(c, 'a window beyond the image');
  const [images, filter] = [imagesAt(c, 0), filterAt(c, 1)];
  let sums: Device;
  if (group === image.channels && group > 1) {
    sums = depthwise(c, images, perChannel(c, filter, group), window);
  } else {
    const filters = groupsOf(c, filter, 3, group);
    const parts = groupsOf(c, images, 3, group).map((part, i) => convolved(c, part, filters[i]!, window));
    sums = parts.length === 1 ? parts[0]! : c.tf.concat([...parts], 3);
  }
  return [fromImages(c, c.inputs[2] ? c.tf.add(sums, at(c, 2)) : sums)];
};

/** dx [N, H, W, C] of a convolution from dy and its filter. */
function inputGradient(
  c: GpuCall,
  { window, size, group }: { readonly window: ImageWindow; readonly size: Pair; readonly group: number },
): Device {
  const [dy, w] = [need(c, 0), need(c, 1)];
  const image = imageOf(c, dy.shape);
  const [outputs, inputs] = [w.shape[0]!, w.shape[1]!];
  if (image.channels !== outputs || outputs % group !== 0)
    throw wrongShapes(c.node, 'weights that fit the gradient', `[${dy.shape.join(',')}] and [${w.shape.join(',')}]`);
  const images = imagesAt(c, 0);
  const filter = filterAt(c, 1);
  if (inputs === 1 && group > 1) return depthwiseInputGradient(c, images, { filter, window, size, group });
  const filters = groupsOf(c, spreadFilter(c, filter, window), 3, group);
  const parts = groupsOf(c, images, 3, group).map((part, i) =>
    c.tf.conv2dTranspose(
      part as Tensor4D,
      filters[i] as Tensor4D, // one for each group
      [image.batch, ...size, inputs],
      [...window.strides],
      explicit(window),
    ),
  );
  return parts.length === 1 ? parts[0]! : c.tf.concat([...parts], 3);
}

/** dy with zeros between its elements, convolved with the filters rotated 180 degrees; one sum for each multiplier. */
function depthwiseInputGradient(
  c: GpuCall,
  dy: Device,
  of: { readonly filter: Device; readonly window: ImageWindow; readonly size: Pair; readonly group: number },
): Device {
  const { filter, window, size, group } = of;
  const { tf } = c;
  const turned = tf.reverse(perChannel(c, filter, group), [0, 1]);
  const wide = spread(tf, spread(tf, dy, 1, window.strides[0]), 2, window.strides[1]);
  const multiplier = turned.shape[3]!;
  const [batch, rows, columns] = wide.shape as [number, number, number]; // images
  const reach = ([0, 1] as const).map((i) => (window.kernel[i] - 1) * window.dilations[i]) as unknown as Pair; // two
  // Borders so that dx[i] meets every dy it went into; what lies outside the image is cut by negative ones.
  const before: Pair = [reach[0] - window.begin[0], reach[1] - window.begin[1]];
  const after: Pair = [size[0] + reach[0] - before[0] - rows, size[1] + reach[1] - before[1] - columns];
  const each = tf.reshape(wide, [batch, rows, columns, group, multiplier]);
  const parts = Array.from({ length: multiplier }, (_, m) => {
    const own = tf.reshape(partOf(c, each, { axis: 4, from: m, count: 1 }), [batch, rows, columns, group]);
    const frame = reframed(c, own, before, after);
    const slide: ImageWindow = { ...window, strides: [1, 1], begin: [0, 0], end: [0, 0] };
    return depthwise(c, frame, partOf(c, turned, { axis: 3, from: m, count: 1 }), slide);
  });
  return parts.reduce((sum, part) => tf.add(sum, part));
}

/** Images with borders of zeros; negative ones cut. */
function reframed(c: GpuCall, images: Device, before: Pair, after: Pair): Device {
  const [, rows, columns] = images.shape as [number, number, number]; // images
  const keep = (length: number, i: 0 | 1) => length + Math.min(0, before[i]) + Math.min(0, after[i]);
  const cut = c.tf.slice(
    images,
    [0, Math.max(0, -before[0]), Math.max(0, -before[1]), 0],
    [images.shape[0]!, keep(rows, 0), keep(columns, 1), images.shape[3]!],
  );
  const pads: [number, number][] = [
    [0, 0],
    [Math.max(0, before[0]), Math.max(0, after[0])],
    [Math.max(0, before[1]), Math.max(0, after[1])],
    [0, 0],
  ];
  return pads.flat().every((pad) => pad === 0) ? cut : c.tf.pad(cut, pads);
}

/** `espalier::ConvInputGradient(dy, w)`; its meaning is said beside its lowering. */
const convInputGradient: GpuKernel = (c) => {
  const image = imageOf(c, need(c, 0).shape);
  const window = imageWindow(c, image, need(c, 1).shape.slice(2));
  const spatial = intsOf(c.node, 'input_shape', undefined) ?? refuse(c, 'no input_shape');
  const group = intOf(c.node, 'group', 1);
  return [fromImages(c, inputGradient(c, { window, size: pairOf(spatial, 1), group }))];
};

const convTranspose: GpuKernel = (c) => {
  const x = need(c, 0);
  const image = imageOf(c, x.shape);
  const window = imageWindow(c, image, need(c, 1).shape.slice(2));
  const size = transposedSize(c, image, window);
  const sums = inputGradient(c, { window, size, group: intOf(c.node, 'group', 1) });
  return [fromImages(c, c.inputs[2] ? c.tf.add(sums, at(c, 2)) : sums)];
};

/** Most bytes that the taps of a window are copied side by side into, so that one product sums for all of them. */
const sideBySide = 2 ** 26;

/**
 * `espalier::ConvWeightGradient(x, dy)`: what the taps saw [places, taps C] times dy [places, K], summed over places.
 * The kernel of TensorFlow.js for it sums all places one after the other, in one thread for each weight.
 */
const convWeightGradient: GpuKernel = (c) => {
  const { tf } = c;
  const image = imageOf(c, need(c, 0).shape);
  const grown = imageOf(c, need(c, 1).shape);
  const kernelShape = intsOf(c.node, 'kernel_shape', undefined) ?? refuse(c, 'no kernel_shape');
  const window = imageWindow(c, image, kernelShape);
  const group = intOf(c.node, 'group', 1);
  const slide: Sliding = { image, window, size: grown.size };
  const frame = framed(tf, imagesAt(c, 0), slide);
  const rows = image.batch * grown.size[0] * grown.size[1];
  const [inputs, outputs] = [image.channels / group, grown.channels / group];
  const taps = tapsOf(window).map((tap) => tf.reshape(tapOf(tf, frame, slide, tap), [rows, image.channels]));
  const dy = imagesAt(c, 1);
  const shape = [grown.channels, inputs, ...kernelShape];
  if (group > 1) {
    const grouped = groupedProducts(c, taps, { dy, group, inputs, outputs });
    return [made(c, tf.reshape(tf.transpose(grouped, [1, 3, 2, 0]), shape), { shape })];
  }
  const right = tf.reshape(dy, [rows, outputs]) as Tensor2D; // two axes, as said
  const count = Math.max(1, Math.floor(sideBySide / (4 * rows * inputs)));
  const products = Array.from({ length: Math.ceil(taps.length / count) }, (_, i) => {
    const left = tf.concat(taps.slice(i * count, (i + 1) * count), 1) as Tensor2D; // two axes, as its parts
    return tf.matMul(left, right, true, false);
  });
  const all = tf.reshape(tf.concat(products, 0), [taps.length, inputs, outputs]);
  return [made(c, tf.reshape(tf.transpose(all, [2, 1, 0]), shape), { shape })];
};

/** The sums of each tap and group: [taps, group, C, K]. */
function groupedProducts(
  c: GpuCall,
  taps: readonly Device[],
  {
    dy,
    group,
    inputs,
    outputs,
  }: { readonly dy: Device; readonly group: number; readonly inputs: number; readonly outputs: number },
): Device {
  const { tf } = c;
  const right = tf.reshape(dy, [-1, group, outputs]);
  const product = (tap: Device): Device => {
    const left = tf.reshape(tap, [-1, group, inputs]);
    if (inputs === 1) return tf.reshape(tf.sum(tf.mul(left, right), 0), [group, 1, outputs]);
    return tf.matMul(tf.transpose(left, [1, 2, 0]), tf.transpose(right, [1, 0, 2]));
  };
  return tf.stack(taps.map(product));
}

/** Convolutions and their gradients. */
export const convolutionOps = {
  Conv: conv,
  ConvTranspose: convTranspose,
  'espalier::ConvInputGradient': convInputGradient,
  'espalier::ConvWeightGradient': convWeightGradient,
} as const satisfies Record<string, GpuOp>;
