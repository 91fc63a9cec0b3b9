import { ints, type ValueId } from '@espalier/core';
import type { BlockedWriter } from './blocked-writer.js';

/** Sizes of a filter [K, C/group, kh, kw]. */
export interface FilterSize {
  readonly outputs: number;
  readonly inputs: number;
  readonly height: number;
  readonly width: number;
}

/**
 * A filter w [K, C, kh, kw] as blocked convolutions read it: [K/B, C/B, kh, kw, B of C, B of K]. `unblocked` inputs (and
 * depthwise filters, C = 1) need [K/B, C, kh, kw, B of K]. The runtime is told the shape [K, C, kh, kw].
 */
export function blockedFilter(
  w: BlockedWriter,
  value: ValueId,
  { outputs, inputs, height, width, unblocked = false }: FilterSize & { readonly unblocked?: boolean },
): ValueId {
  const b = w.block;
  if (unblocked && inputs * height * width === 1) return value;
  const [apart, perm] = unblocked
    ? [
        [outputs / b, b, inputs * height * width],
        [0, 2, 1],
      ]
    : [
        [outputs / b, b, inputs / b, b, height * width],
        [0, 2, 4, 3, 1],
      ];
  const split = w.emit('Reshape', [value, w.longs(apart)]);
  const turned = w.emit('Transpose', [split], { perm: ints(perm) });
  return w.emit('Reshape', [turned, w.longs([outputs, inputs, height, width])]);
}

/**
 * The filter of the convolution that takes dy to dx: w turned by 180 degrees, inputs and outputs exchanged; blocked.
 * From w [K, C, kh, kw] it is [C/B, K/B, kh, kw, B of K, B of C].
 */
export function turnedFilter(
  w: BlockedWriter,
  value: ValueId,
  { outputs, inputs, height, width }: FilterSize,
): ValueId {
  const b = w.block;
  const taps = height * width;
  const split = w.emit('Reshape', [value, w.longs([outputs / b, b, inputs / b, b, taps])]);
  const exchanged = w.emit('Transpose', [split], { perm: ints([2, 0, 4, 1, 3]) });
  return w.emit('Reshape', [turned(w, exchanged, { taps, axis: 2 }), w.longs([inputs, outputs, height, width])]);
}

/** A depthwise filter [C, 1, kh, kw] turned by 180 degrees, blocked. */
export function turnedDepthwiseFilter(
  w: BlockedWriter,
  value: ValueId,
  { outputs, height, width }: FilterSize,
): ValueId {
  const taps = height * width;
  const split = w.emit('Reshape', [value, w.longs([outputs / w.block, w.block, taps])]);
  const apart = w.emit('Transpose', [split], { perm: ints([0, 2, 1]) });
  return w.emit('Reshape', [turned(w, apart, { taps, axis: 1 }), w.longs([outputs, 1, height, width])]);
}

function turned(w: BlockedWriter, value: ValueId, { taps, axis }: { readonly taps: number; readonly axis: number }) {
  if (taps === 1) return value;
  const backwards = Int32Array.from({ length: taps }, (_, i) => taps - 1 - i);
  return w.emit('Gather', [value, w.index(backwards, [taps])], { axis: { kind: 'int', value: axis } });
}
