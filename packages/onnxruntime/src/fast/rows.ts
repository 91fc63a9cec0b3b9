import { int, type ValueId } from '@espalier/core';
import type { BlockedWriter, Image } from './blocked-writer.js';

/**
 * The rows of a blocked image (one row is the B channels of one place) in another order, some of them several times,
 * some zero. `source(i)` names the row that stands at place i of an image, counted through [C/B, H, W]; -1 is a row of
 * zeros. Returns [N, count, B].
 */
export function pickRows(
  w: BlockedWriter,
  value: ValueId,
  { image, count, source }: { readonly image: Image; readonly count: number; readonly source: (i: number) => number },
): ValueId {
  const total = (image.padded / w.block) * image.height * image.width;
  const index = new Int32Array(count);
  let [zeros, moved] = [false, count !== total];
  for (let i = 0; i < count; i++) {
    const from = source(i);
    index[i] = from < 0 ? total : from;
    if (from < 0) zeros = true;
    else if (from !== i) moved = true;
  }
  const flat = w.emit('Reshape', [value, w.longs([0, total, w.block].map((size, axis) => (axis === 0 ? -1 : size)))]);
  if (!moved && !zeros) return flat;
  const rows = zeros ? w.emit('Concat', [flat, zeroRow(w, flat, image)], { axis: int(1) }) : flat;
  return w.emit('Gather', [rows, w.index(index, [count])], { axis: int(1) });
}

function zeroRow(w: BlockedWriter, rows: ValueId, { batch }: Image): ValueId {
  if (typeof batch === 'number') return w.full(0, [batch, 1, w.block]);
  const sizes = w.emit('Gather', [w.emit('Shape', [rows]), w.longs([0])]);
  const shape = w.emit('Concat', [sizes, w.longs([1, w.block])], { axis: int(0) });
  return w.emit('Expand', [w.full(0, []), shape]);
}
