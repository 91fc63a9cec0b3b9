import { type Dim, int, type ValueId } from '@espalier/core';
import type { BlockedWriter, Image } from './blocked-writer.js';

/** Rows of a blocked value: one row is the B channels of one place. */
export interface Rows {
  readonly value: ValueId;
  /** The number of rows for each image. */
  readonly count: number;
}

/** The rows of a blocked image, counted through [C/B, H, W]. */
export const rowsOf = (w: BlockedWriter, value: ValueId, { padded, height, width }: Image): Rows => ({
  value,
  count: (padded / w.block) * height * width,
});

/**
 * Rows in another order, some of them several times, some zero. `source(i)` names the row that stands at place i, counted
 * through all parts one after the other; -1 is a row of zeros. Returns [N, count, B].
 */
export function pickRows(
  w: BlockedWriter,
  parts: readonly Rows[],
  { batch, count, source }: { readonly batch: Dim; readonly count: number; readonly source: (i: number) => number },
): ValueId {
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  const index = new Int32Array(count);
  let [zeros, moved] = [false, count !== total];
  for (let i = 0; i < count; i++) {
    const from = source(i);
    index[i] = from < 0 ? total : from;
    if (from < 0) zeros = true;
    else if (from !== i) moved = true;
  }
  const flat = parts.map((part) => w.emit('Reshape', [part.value, w.longs([-1, part.count, w.block])]));
  const all = zeros ? [...flat, zeroRow(w, flat[0]!, batch)] : flat; // one part at least
  const rows = all.length === 1 ? all[0]! : w.emit('Concat', all, { axis: int(1) });
  return moved || zeros ? w.emit('Gather', [rows, w.index(index, [count])], { axis: int(1) }) : rows;
}

function zeroRow(w: BlockedWriter, rows: ValueId, batch: Dim): ValueId {
  if (typeof batch === 'number') return w.full(0, [batch, 1, w.block]);
  const sizes = w.emit('Gather', [w.emit('Shape', [rows]), w.longs([0])]);
  const shape = w.emit('Concat', [sizes, w.longs([1, w.block])], { axis: int(0) });
  return w.emit('Expand', [w.full(0, []), shape]);
}
