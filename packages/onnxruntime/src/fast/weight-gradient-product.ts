import { int, ints, intsOf, type Node, type ValueId } from '@espalier/core';
import type { BlockedWriter, Image } from './blocked-writer.js';
import { pickRows, rowsOf } from './rows.js';
import { type PlaneWindow, planeWindow } from './window.js';

interface Site {
  readonly x: ValueId;
  readonly dy: ValueId;
  readonly from: Image;
  readonly to: Image;
  readonly window: PlaneWindow;
}

/**
 * `espalier::ConvWeightGradient(x, dy)` as one matrix product over all places of all images. With stride 1 the kernel's
 * columns are shifts of x and its rows are shifts of dy, so that only kh + kw copies are made where the usual matrix of
 * patches has kh·kw: [kh·K, R] x [R, kw·C], R = N·H·OW. Otherwise dy [K, R] times the patches [R, kh·kw·C].
 */
export function weightGradientProduct(node: Node, w: BlockedWriter): boolean {
  const [x, dy] = node.inputs as readonly [ValueId, ValueId]; // it has both
  const [from, to] = [w.image(x), w.image(dy)];
  const window = planeWindow(node, intsOf(node, 'kernel_shape', []));
  if (!from || !to || !window || window.group !== 1) return false;
  if (!w.fills(from) || !w.fills(to)) return false;
  const site = { x: w.blocked(x), dy: w.blocked(dy), from, to, window };
  const [kh, kw] = window.kernel;
  const [channels, outputs] = [from.padded, to.padded];
  if (window.strides[0] === 1 && kh > 1) {
    const product = multiply(w, shiftedRows(w, site), columnsOf(w, site));
    const apart = w.emit('Reshape', [product, w.longs([kh, outputs, kw, channels])]);
    w.emitAs(node.outputs[0], 'Transpose', [own(w, apart, { from, to, axes: [1, 3] })], { perm: ints([1, 3, 0, 2]) });
    return true;
  }
  const product = multiply(w, placesOf(w, site.dy, to), patchesOf(w, site));
  const apart = w.emit('Reshape', [product, w.longs([outputs, kh, kw, channels])]);
  w.emitAs(node.outputs[0], 'Transpose', [own(w, apart, { from, to, axes: [0, 3] })], { perm: ints([0, 3, 1, 2]) });
  return true;
}

/** The product without what fills up blocks, of dy's channels along the first axis and of x's along the second. */
function own(
  w: BlockedWriter,
  value: ValueId,
  { from, to, axes }: { readonly from: Image; readonly to: Image; readonly axes: readonly [number, number] },
): ValueId {
  if (from.channels === from.padded && to.channels === to.padded) return value;
  return w.emit('Slice', [value, w.longs([0, 0]), w.longs([to.channels, from.channels]), w.longs(axes)]);
}

/** aᵀ b */
const multiply = (w: BlockedWriter, a: ValueId, b: ValueId): ValueId =>
  w.emit('com.microsoft::FusedMatMul', [a, b], { transA: int(1), transB: int(0), alpha: { kind: 'float', value: 1 } });

const matrix = (w: BlockedWriter, rows: ValueId, columns: number): ValueId =>
  w.emit('Reshape', [rows, w.longs([-1, columns])]);

/** A blocked image as [N·H·W, C]. */
function placesOf(w: BlockedWriter, value: ValueId, image: Image): ValueId {
  const [blocks, area] = [image.padded / w.block, image.height * image.width];
  const rows = pickRows(w, [rowsOf(w, value, image)], {
    batch: image.batch,
    count: blocks * area,
    source: (i) => (i % blocks) * area + Math.floor(i / blocks),
  });
  return matrix(w, rows, image.padded);
}

/** dy shifted down by each row of the kernel: [N·H·OW, kh·K]; places outside of dy are zero. */
function shiftedRows(w: BlockedWriter, { dy, from, to, window }: Site): ValueId {
  const { kernel, dilations, pads } = window;
  const blocks = to.padded / w.block;
  const rows = pickRows(w, [rowsOf(w, dy, to)], {
    batch: to.batch,
    count: from.height * to.width * kernel[0] * blocks,
    source(i) {
      const [block, tap] = [i % blocks, Math.floor(i / blocks) % kernel[0]];
      const place = Math.floor(i / blocks / kernel[0]);
      const row = Math.floor(place / to.width) - tap * dilations[0] + pads[0];
      return row < 0 || row >= to.height ? -1 : (block * to.height + row) * to.width + (place % to.width);
    },
  });
  return matrix(w, rows, kernel[0] * to.padded);
}

/** x as each column of the kernel meets it: [N·H·OW, kw·C]. */
function columnsOf(w: BlockedWriter, { x, from, to, window }: Site): ValueId {
  const { kernel, strides, dilations, pads } = window;
  const blocks = from.padded / w.block;
  const rows = pickRows(w, [rowsOf(w, x, from)], {
    batch: from.batch,
    count: from.height * to.width * kernel[1] * blocks,
    source(i) {
      const [block, tap] = [i % blocks, Math.floor(i / blocks) % kernel[1]];
      const place = Math.floor(i / blocks / kernel[1]);
      const column = (place % to.width) * strides[1] + tap * dilations[1] - pads[1];
      if (column < 0 || column >= from.width) return -1;
      return (block * from.height + Math.floor(place / to.width)) * from.width + column;
    },
  });
  return matrix(w, rows, kernel[1] * from.padded);
}

/** x as each tap of the kernel meets it: [N·OH·OW, kh·kw·C]. */
function patchesOf(w: BlockedWriter, { x, from, to, window }: Site): ValueId {
  const { kernel, strides, dilations, pads } = window;
  const blocks = from.padded / w.block;
  const taps = kernel[0] * kernel[1];
  const rows = pickRows(w, [rowsOf(w, x, from)], {
    batch: from.batch,
    count: to.height * to.width * taps * blocks,
    source(i) {
      const [block, tap] = [i % blocks, Math.floor(i / blocks) % taps];
      const place = Math.floor(i / blocks / taps);
      const row = Math.floor(place / to.width) * strides[0] + Math.floor(tap / kernel[1]) * dilations[0] - pads[0];
      const column = (place % to.width) * strides[1] + (tap % kernel[1]) * dilations[1] - pads[1];
      const outside = row < 0 || row >= from.height || column < 0 || column >= from.width;
      return outside ? -1 : (block * from.height + row) * from.width + column;
    },
  });
  return matrix(w, rows, taps * from.padded);
}
