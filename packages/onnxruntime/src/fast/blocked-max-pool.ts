import { type Dim, float, int, intOf, intsOf, type ValueId } from '@espalier/core';
import type { BlockedRule } from './blocked-rule.js';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import { pickRows, type Rows, rowsOf } from './rows.js';
import { type PlaneWindow, planeWindow, windowAttributes } from './window.js';

/** MaxPool of a value that is blocked already, without indices. */
const pool: BlockedRule = (node, w) => {
  const x = node.inputs[0] as ValueId; // it has one
  const [image, to] = [w.image(x), w.image(node.outputs[0])];
  const window = planeWindow(node, intsOf(node, 'kernel_shape', []));
  if (!image || !to || !window || !w.fills(image) || !w.isBlocked(x) || node.outputs[1] !== undefined) return false;
  const { group, ...attributes } = windowAttributes(window);
  const ceil = { ceil_mode: int(intOf(node, 'ceil_mode', 0)) };
  w.give(node.outputs[0], w.emit(`${blockedDomain}::MaxPool`, [w.blocked(x)], { ...attributes, ...ceil }));
  return true;
};

// Each tap costs four passes over dy; the runtime's own indices are faster beyond this many.
const mostTaps = 4;

/**
 * `espalier::MaxPoolGradient(x, y, dy)` for windows that do not overlap and lie inside of x. The places that a tap t of
 * the window meets in x are a value of the size of y, and what is left of dy goes to the first of them that equals y:
 *
 *     dx[t] = rest·[x[t] = y],  rest ← rest - dx[t]
 *
 * from rest = dy; the last tap takes what no other took. [x = y] is clip(1 - 2¹²⁷(y - x), 0, 1), a HardSigmoid: exact
 * but where the two differ by a subnormal number. Places are moved as rows of B numbers: of as many channels where x
 * is blocked, else of as many images.
 */
const gradient: BlockedRule = (node, w) => {
  const [x, y, dy] = node.inputs as readonly [ValueId, ValueId, ValueId]; // it has three
  const [image, to] = [w.image(x), w.image(y)];
  const window = planeWindow(node, intsOf(node, 'kernel_shape', []));
  if (!image || !to || !window || !apartInside(window, image, to)) return false;
  const { batch, channels, height, width } = image;
  if (w.fills(image) && w.isBlocked(x)) {
    const [from, best, given] = [
      rowsOf(w, w.blocked(x), image),
      rowsOf(w, w.blocked(y), to),
      rowsOf(w, w.blocked(dy), to),
    ];
    const rows = gradientRows(w, { from, best, given, batch, window, image, to });
    w.give(node.outputs[0], w.emit('Reshape', [rows, w.longs([-1, image.padded, height, width])]));
    return true;
  }
  if (typeof batch !== 'number' || batch % w.block !== 0) return false;
  const byImage = (value: ValueId, count: number): Rows => {
    w.plain(value);
    const lanes = w.emit('Reshape', [value, w.longs([1, batch, count, 1])]);
    return { value: w.emit(`${blockedDomain}::ReorderInput`, [lanes]), count };
  };
  const [count, places] = [channels * height * width, channels * to.height * to.width];
  const [from, best, given] = [byImage(x, count), byImage(y, places), byImage(dy, places)];
  const rows = gradientRows(w, { from, best, given, batch: batch / w.block, window, image, to });
  const lanes = w.emit('Reshape', [rows, w.longs([1, batch, count, 1])]);
  const plain = w.emit(`${blockedDomain}::ReorderOutput`, [lanes], { channels: int(batch) });
  w.emitAs(node.outputs[0], 'Reshape', [plain, w.longs([batch, channels, height, width])]);
  return true;
};

interface Site {
  /** Of x, y and dy. */
  readonly from: Rows;
  readonly best: Rows;
  readonly given: Rows;
  /** Of the rows. */
  readonly batch: Dim;
  readonly window: PlaneWindow;
  readonly image: Image;
  readonly to: Image;
}

/** The rows of dx. */
function gradientRows(w: BlockedWriter, { from, best, given, batch, window, image, to }: Site): ValueId {
  const [kh, kw] = window.kernel;
  const { count } = best;
  const asRows = (rows: Rows) => pickRows(w, [rows], { batch, count, source: (i) => i });
  const [highest, parts] = [asRows(best), [] as ValueId[]];
  let rest = asRows(given);
  for (let tap = 0; tap < kh * kw - 1; tap++) {
    const met = pickRows(w, [from], { batch, count, source: (i) => meeting(i, { tap, window, image, to }) });
    const short = w.emit('Sub', [highest, met]);
    const first = w.emit('HardSigmoid', [short], { alpha: float(-(2 ** 127)), beta: float(1) });
    const part = w.emit('Mul', [rest, first]);
    rest = w.emit('Sub', [rest, part]);
    parts.push(part);
  }
  const all = [...parts, rest].map((value) => ({ value, count }));
  return pickRows(w, all, {
    batch,
    count: from.count,
    source(i) {
      const [place, plane] = [i % (image.height * image.width), Math.floor(i / (image.height * image.width))];
      const [row, column] = [Math.floor(place / image.width), place % image.width];
      const [p, q] = [Math.floor(row / window.strides[0]), Math.floor(column / window.strides[1])];
      const [j, k] = [row % window.strides[0], column % window.strides[1]];
      if (p >= to.height || q >= to.width || j >= kh || k >= kw) return -1;
      return (j * kw + k) * count + (plane * to.height + p) * to.width + q;
    },
  });
}

/** The row of x that tap `tap` of the window at row i of y meets. */
function meeting(
  i: number,
  { tap, window, image, to }: Pick<Site, 'window' | 'image' | 'to'> & { readonly tap: number },
): number {
  const [place, plane] = [i % (to.height * to.width), Math.floor(i / (to.height * to.width))];
  const row = Math.floor(place / to.width) * window.strides[0] + Math.floor(tap / window.kernel[1]);
  const column = (place % to.width) * window.strides[1] + (tap % window.kernel[1]);
  return (plane * image.height + row) * image.width + column;
}

/** Whether windows neither overlap nor reach beyond the image, and have few taps. */
function apartInside({ kernel, strides, dilations, pads }: PlaneWindow, from: Image, to: Image): boolean {
  const sizes = [
    [from.height, to.height],
    [from.width, to.width],
  ] as const;
  return (
    kernel[0] * kernel[1] <= mostTaps &&
    pads.every((pad) => pad === 0) &&
    sizes.every(([size, places], axis) => {
      const [reach, stride] = [kernel[axis]!, strides[axis]!];
      return reach <= stride && (dilations[axis] === 1 || reach === 1) && (places - 1) * stride + reach <= size;
    })
  );
}

/** Max pooling and its gradient. */
export const blockedMaxPool = { MaxPool: pool, 'espalier::MaxPoolGradient': gradient } as const;
