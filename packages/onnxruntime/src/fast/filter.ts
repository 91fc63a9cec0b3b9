import { int, ints, type ValueId } from '@espalier/core';
import { type BlockedWriter, blockedDomain, type Image } from './blocked-writer.js';
import { extended } from './filled-up.js';

/** Sizes of a filter [K, C/group, kh, kw]. */
export interface FilterSize {
  readonly outputs: number;
  readonly inputs: number;
  readonly height: number;
  readonly width: number;
}

/** A filter with zeros for the channels that fill up the blocks of what it gives, and of what it reads where that is given. */
export function filledUpFilter(
  w: BlockedWriter,
  value: ValueId,
  { size, to, from }: { readonly size: FilterSize; readonly to: Image; readonly from?: Image },
): { readonly value: ValueId; readonly size: FilterSize } {
  const { outputs, inputs, height, width } = size;
  const whole = { ...size, outputs: to.padded, inputs: from ? from.padded : inputs };
  const wide = extended(w, value, { shape: [outputs, inputs, height, width], axis: 1, to: whole.inputs });
  const shape = [outputs, whole.inputs, height, width];
  return { value: extended(w, wide, { shape, axis: 0, to: whole.outputs }), size: whole };
}

/**
 * A filter w [K, C, kh, kw] as blocked convolutions read it: [K/B, C/B, kh, kw, B of C, B of K]. `unblocked` inputs (and
 * depthwise filters, C = 1) need [K/B, C, kh, kw, B of K]. The runtime gets the shape [K, C, kh, kw]. Blocking K first
 * lets everything else move in whole blocks.
 */
export function blockedFilter(
  w: BlockedWriter,
  value: ValueId,
  { outputs, inputs, height, width, unblocked = false }: FilterSize & { readonly unblocked?: boolean },
): ValueId {
  const [b, taps] = [w.block, height * width];
  if (unblocked && inputs * taps === 1) return value;
  const images = w.emit('Reshape', [value, w.longs([1, outputs, inputs, taps])]);
  const blocked = w.emit(`${blockedDomain}::ReorderInput`, [images]); // [K/B, C, kh·kw, B of K]
  const whole = w.longs([outputs, inputs, height, width]);
  if (unblocked || taps === 1) return w.emit('Reshape', [blocked, whole]);
  const split = w.emit('Reshape', [blocked, w.longs([outputs / b, inputs / b, b, taps, b])]);
  return w.emit('Reshape', [w.emit('Transpose', [split], { perm: ints([0, 1, 3, 2, 4]) }), whole]);
}

/** A filter with its inputs and outputs exchanged, blocked but for its taps, which can still be picked. */
export interface ExchangedFilter {
  /** [C/B, K/B, kh·kw, B of K, B of C]; of a depthwise filter [C/B, kh·kw, B]. */
  readonly value: ValueId;
  readonly tapAxis: 1 | 2;
  readonly size: FilterSize;
}

/** The filter of the convolution from dy to dx, from w [K, C, kh, kw] in whole blocks. */
export function exchangedFilter(w: BlockedWriter, value: ValueId, size: FilterSize): ExchangedFilter {
  const { outputs, inputs, height, width } = size;
  const [b, taps] = [w.block, height * width];
  const images = w.emit('Reshape', [value, w.longs([outputs, inputs, taps, 1])]);
  const blocked = taps === 1 ? value : w.emit(`${blockedDomain}::ReorderInput`, [images]); // [K, C/B, kh·kw, B of C]
  const split = w.emit('Reshape', [blocked, w.longs([outputs / b, b, inputs / b, taps, b])]);
  return { value: w.emit('Transpose', [split], { perm: ints([2, 0, 3, 1, 4]) }), tapAxis: 2, size };
}

/** The same of a depthwise filter [C, 1, kh, kw]. */
export function exchangedDepthwiseFilter(w: BlockedWriter, value: ValueId, size: FilterSize): ExchangedFilter {
  const { outputs, height, width } = size;
  const blocked = blockedFilter(w, value, { ...size, unblocked: true });
  const split = w.emit('Reshape', [blocked, w.longs([outputs / w.block, height * width, w.block])]);
  return { value: split, tapAxis: 1, size };
}

/** Taps of a filter as a filter of their own: rows and columns of the kernel in the order given. */
export function pickTaps(
  w: BlockedWriter,
  { value, tapAxis, size }: ExchangedFilter,
  [rows, columns]: readonly [readonly number[], readonly number[]],
): ValueId {
  const order = rows.flatMap((row) => columns.map((column) => row * size.width + column));
  const whole = order.length === size.height * size.width && order.every((tap, i) => tap === i);
  const picked = whole
    ? value
    : w.emit('Gather', [value, w.index(Int32Array.from(order), [order.length])], { axis: int(tapAxis) });
  const channels = tapAxis === 1 ? [size.outputs, 1] : [size.inputs, size.outputs];
  return w.emit('Reshape', [picked, w.longs([...channels, rows.length, columns.length])]);
}
