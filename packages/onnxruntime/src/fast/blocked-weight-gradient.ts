import { int, ints, intsOf, type Node, type ValueId } from '@espalier/core';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import { weightGradientProduct } from './weight-gradient-product.js';
import { type PlaneWindow, planeWindow } from './window.js';

// Measured up to this many places of dy; a kernel that large is read from memory for every group of its results.
const mostPlaces = 128 * 128;

interface Site {
  readonly x: ValueId;
  readonly dy: ValueId;
  readonly from: Image;
  readonly to: Image;
  readonly window: PlaneWindow;
}

/**
 * `espalier::ConvWeightGradient(x, dy)` as one blocked convolution that sums over images, as others do over channels:
 *
 *     dw[k, c, i, j] = Σ over n, p, q of dy[k, n, p, q] x[n, i + p·stride, (j + q·stride)·C + c]
 *
 * The image is x as [1, N, H, W·C], channels side by side in each row and columns of zeros in place of pads; the filter
 * is dy as [K, N, OH, OW], dilated by the strides, and by C along a row. The result is [1, K, kh, kw·C]. Nothing is
 * copied once per tap. Whole blocks of images are needed; others become a matrix product.
 */
export function blockedWeightGradient(node: Node, w: BlockedWriter): boolean {
  const [x, dy] = node.inputs as readonly [ValueId, ValueId]; // it has both
  const [from, to] = [w.image(x), w.image(dy)];
  const window = planeWindow(node, intsOf(node, 'kernel_shape', []));
  if (!from || !to || !window || !w.fills(to)) return false;
  if (window.group !== 1) return depthwiseWeightGradient(node, w, { x, dy, from, to, window });
  const { batch } = from;
  const whole = typeof batch === 'number' && batch % w.block === 0;
  const undilated = window.dilations.every((each) => each === 1);
  if (!whole || !undilated || to.height * to.width > mostPlaces) return weightGradientProduct(node, w);
  const site = { x, dy, from, to, window, batch };
  const { image, columns } = rowsOfChannels(w, site);
  const span = (to.height - 1) * window.strides[0] + 1;
  const bottom = Math.max(0, span + window.kernel[0] - 1 - from.height - window.pads[0]);
  const rows = from.height + window.pads[0] + bottom - span + 1;
  const sums = w.emit(`${blockedDomain}::Conv`, [image, overImages(w, site)], {
    kernel_shape: ints([to.height, to.width]),
    dilations: ints([window.strides[0], window.strides[1] * from.channels]),
    pads: ints([window.pads[0], 0, bottom, 0]),
  });
  const plain = w.emit(`${blockedDomain}::ReorderOutput`, [sums], { channels: int(to.channels) });
  const apart = w.emit('Reshape', [plain, w.longs([to.channels, rows, columns, from.channels])]);
  const sized = cutTo(w, apart, { rows, columns, window });
  w.emitAs(node.outputs[0], 'Transpose', [sized], { perm: ints([0, 3, 1, 2]) });
  return true;
}

/** [K, rows, columns, ...] without what is more than the kernel, where the stride left a rest. */
function cutTo(
  w: BlockedWriter,
  value: ValueId,
  { rows, columns, window }: { readonly rows: number; readonly columns: number; readonly window: PlaneWindow },
): ValueId {
  const [kh, kw] = window.kernel;
  if (rows === kh && columns === kw) return value;
  return w.emit('Slice', [value, w.longs([0, 0]), w.longs([kh, kw]), w.longs([1, 2])]);
}

/**
 * The same for a depthwise convolution. Each channel of each image is convolved with its own dy, and the images are
 * summed: x as [1, N·C, H, W] and the filter dy as [N·C, 1, OH, OW] are what their blocked forms hold already.
 */
function depthwiseWeightGradient(node: Node, w: BlockedWriter, { x, dy, from, to, window }: Site): boolean {
  const { batch, channels } = from;
  const { padded } = to;
  if (window.group !== channels || to.channels !== channels || typeof batch !== 'number') return false;
  if (to.height * to.width > mostPlaces) return false;
  const [kh, kw] = window.kernel;
  const ends = [0, 1].map((axis) => {
    const span = ([to.height, to.width][axis]! - 1) * window.strides[axis]! + 1;
    const [size, begin] = [[from.height, from.width][axis]!, window.pads[axis]!];
    const reach = (window.kernel[axis]! - 1) * window.dilations[axis]!;
    const end = Math.max(0, span + reach - size - begin);
    return { end, places: Math.floor((size + begin + end - span) / window.dilations[axis]!) + 1 };
  });
  const [vertical, horizontal] = ends as [(typeof ends)[0], (typeof ends)[0]]; // two axes
  const image = w.emit('Reshape', [w.blocked(x), w.longs([1, batch * padded, from.height, from.width])]);
  const filter = w.emit('Reshape', [w.blocked(dy), w.longs([batch * padded, 1, to.height, to.width])]);
  const each = w.emit(`${blockedDomain}::Conv`, [image, filter], {
    kernel_shape: ints([to.height, to.width]),
    dilations: ints(window.strides),
    strides: ints(window.dilations),
    pads: ints([window.pads[0], window.pads[1], vertical.end, horizontal.end]),
    group: int(batch * padded),
  });
  const [rows, columns] = [vertical.places, horizontal.places];
  const images = w.emit('Reshape', [each, w.longs([batch, rows * columns * padded])]);
  const sums = w.emit('ReduceSum', [images, w.longs([0])], { keepdims: int(0) });
  const blocked = w.emit('Reshape', [sums, w.longs([1, padded, rows, columns])]);
  const plain = w.emit(`${blockedDomain}::ReorderOutput`, [blocked], { channels: int(channels) });
  const apart = w.emit('Reshape', [plain, w.longs([channels, rows, columns, 1])]);
  const sized = cutTo(w, apart, { rows, columns, window });
  w.emitAs(node.outputs[0], 'Reshape', [sized, w.longs([channels, 1, kh, kw])]);
  return true;
}

/** x as [1, N, H, W'·C], blocked over N, with the padding columns; and how many columns of the kernel fit. */
function rowsOfChannels(w: BlockedWriter, { x, from, to, window, batch }: Site & { readonly batch: number }) {
  const { channels, height, width } = from;
  const span = (to.width - 1) * window.strides[1] + 1;
  const left = window.pads[1];
  const right = Math.max(0, span + window.kernel[1] - 1 - width - left);
  const rows = w.emit('Reshape', [channelsLast(w, x, from), w.longs([1, batch, height, width * channels])]);
  const blocked = w.emit(`${blockedDomain}::ReorderInput`, [rows]);
  const columns = left + width + right - span + 1;
  if (left + right === 0) return { image: blocked, columns };
  const [blocks, size] = [batch / w.block, channels * w.block];
  const places = w.emit('Reshape', [blocked, w.longs([blocks, height, width, size])]);
  const zeros = (count: number) => (count > 0 ? [w.full(0, [blocks, height, count, size])] : []);
  const padded = w.emit('Concat', [...zeros(left), places, ...zeros(right)], { axis: int(2) });
  const image = w.emit('Reshape', [padded, w.longs([1, batch, height, (left + width + right) * channels])]);
  return { image, columns };
}

/** An image batch as [N, H, W, C]. */
function channelsLast(w: BlockedWriter, x: ValueId, { channels }: Image): ValueId {
  if (channels === w.block) return w.blocked(x);
  if (w.fills({ channels }) && (w.isBlocked(x) || channels % w.block === 0)) {
    const attributes = { channels: int(channels), channels_last: int(1) };
    return w.emit(`${blockedDomain}::ReorderOutput`, [w.blocked(x)], attributes);
  }
  w.plain(x);
  return w.emit('Transpose', [x], { perm: ints([0, 2, 3, 1]) });
}

/** dy as a blocked filter [K, N, OH, OW]: [K/B, N/B, OH, OW, B of N, B of K]. */
function overImages(w: BlockedWriter, { dy, to, batch }: Site & { readonly batch: number }): ValueId {
  const b = w.block;
  const area = to.height * to.width;
  const split = w.emit('Reshape', [w.blocked(dy), w.longs([batch / b, b, to.padded / b, area, b])]);
  const turned = w.emit('Transpose', [split], { perm: ints([2, 0, 3, 1, 4]) });
  return w.emit('Reshape', [turned, w.longs([to.padded, batch, to.height, to.width])]);
}
