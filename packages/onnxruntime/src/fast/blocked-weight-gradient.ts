import { int, ints, intsOf, type Node, type ValueId } from '@espalier/core';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import { weightGradientProduct } from './weight-gradient-product.js';
import { type Window, windowOf } from './window.js';

// Above this many places of dy, its part for one block of images no longer fits a core's own cache.
const mostPlaces = 48 * 48;

interface Site {
  readonly x: ValueId;
  readonly dy: ValueId;
  readonly from: Image & { readonly batch: number };
  readonly to: Image;
  readonly window: Window;
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
  const window = windowOf(node, intsOf(node, 'kernel_shape', []));
  if (!from || !to || !window || window.group !== 1 || to.channels % w.block !== 0) return false;
  if (from.channels >= w.block && from.channels % w.block !== 0) return false;
  const { batch } = from;
  const whole = typeof batch === 'number' && batch % w.block === 0;
  const undilated = window.dilations.every((each) => each === 1);
  if (!whole || !undilated || to.height * to.width > mostPlaces) return weightGradientProduct(node, w);
  const site = { x, dy, from: { ...from, batch }, to, window };
  const [kh, kw] = window.kernel;
  const { image, columns } = rowsOfChannels(w, site);
  const span = (to.height - 1) * window.strides[0] + 1;
  const bottom = Math.max(0, span + kh - 1 - from.height - window.pads[0]);
  const sums = w.emit(`${blockedDomain}::Conv`, [image, overImages(w, site)], {
    kernel_shape: ints([to.height, to.width]),
    dilations: ints([window.strides[0], window.strides[1] * from.channels]),
    pads: ints([window.pads[0], 0, bottom, 0]),
  });
  const rows = from.height + window.pads[0] + bottom - span + 1;
  const apart = w.emit('Reshape', [sums, w.longs([to.channels / w.block, rows, columns, from.channels, w.block])]);
  // Where the stride left a rest there are more rows or columns than the kernel has.
  const cut =
    rows === kh && columns === kw
      ? apart
      : w.emit('Slice', [apart, w.longs([0, 0]), w.longs([kh, kw]), w.longs([1, 2])]);
  const turned = w.emit('Transpose', [cut], { perm: ints([0, 4, 3, 1, 2]) });
  w.finish(node.outputs[0], 'Reshape', [turned, w.longs([to.channels, from.channels, kh, kw])]);
  return true;
}

/** x as [1, N, H, W'·C], blocked over N, with the padding columns; and how many columns of the kernel fit. */
function rowsOfChannels(w: BlockedWriter, { x, from, to, window }: Site) {
  const { batch, channels, height, width } = from;
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
  if (channels % w.block === 0) {
    const attributes = { channels: int(channels), channels_last: int(1) };
    return w.emit(`${blockedDomain}::ReorderOutput`, [w.blocked(x)], attributes);
  }
  w.plain(x);
  return w.emit('Transpose', [x], { perm: ints([0, 2, 3, 1]) });
}

/** dy as a blocked filter [K, N, OH, OW]: [K/B, N/B, OH, OW, B of N, B of K]. */
function overImages(w: BlockedWriter, { dy, from, to }: Site): ValueId {
  const b = w.block;
  const area = to.height * to.width;
  const split = w.emit('Reshape', [w.blocked(dy), w.longs([from.batch / b, b, to.channels / b, area, b])]);
  const turned = w.emit('Transpose', [split], { perm: ints([2, 0, 3, 1, 4]) });
  return w.emit('Reshape', [turned, w.longs([to.channels, from.batch, to.height, to.width])]);
}
