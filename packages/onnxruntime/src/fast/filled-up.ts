import { int, type ValueId } from '@espalier/core';
import type { BlockedWriter, Image } from './blocked-writer.js';

/** One number per channel with zeros behind them, up to a whole block. */
export const filledUp = (w: BlockedWriter, value: ValueId, { channels, padded }: Image): ValueId =>
  extended(w, value, { shape: [channels], axis: 0, to: padded });

/** A value of known shape with zeros behind it along an axis, up to a size. */
export function extended(
  w: BlockedWriter,
  value: ValueId,
  { shape, axis, to }: { readonly shape: readonly number[]; readonly axis: number; readonly to: number },
): ValueId {
  const missing = to - shape[axis]!;
  return missing === 0 ? value : w.emit('Concat', [value, w.full(0, shape.with(axis, missing))], { axis: int(axis) });
}
