import { sizeOf } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Call } from '../kernel.js';
import { copyView } from '../strided.js';
import { blockOf, deviceValue, type Layout, layoutOf, stridesIn, type Value } from '../value.js';

/** A new value filled from a strided view of another one, in the layout that it has. */
export function viewed(
  c: Call,
  x: Value,
  {
    shape,
    strides,
    first = 0,
    layout = 'plain',
  }: {
    readonly shape: readonly number[];
    readonly strides: readonly number[];
    readonly first?: number;
    readonly layout?: Layout;
  },
): Value {
  const out = c.heap.allocate(sizeOf(shape));
  copyView(c.heap, {
    shape,
    source: { pointer: blockOf(c.heap, x, layout).pointer + 4 * first, strides },
    target: { pointer: out.pointer, strides: stridesIn(shape, layout) },
  });
  return deviceValue(x.dtype, shape, out, layout);
}

/** The same elements in the same layout, shared. */
export function sharedValue(c: Call, x: Value, shape: readonly number[]): Value {
  if (!x.plain && !x.last) return { dtype: x.dtype, shape, host: x.host && { ...x.host, shape } };
  const layout = layoutOf(x);
  const block = blockOf(c.heap, x, layout);
  block.holders++;
  return deviceValue(x.dtype, shape, block, layout);
}

/** Rows of a plain value picked along one axis by numbers known on the host. */
export function picked(
  c: Call,
  x: Value,
  {
    axis,
    index,
    indexShape = [index.length],
  }: { readonly axis: number; readonly index: readonly number[]; readonly indexShape?: readonly number[] },
): Value {
  const shape = [...x.shape.slice(0, axis), ...indexShape, ...x.shape.slice(axis + 1)];
  const positions = c.heap.allocate(index.length);
  c.heap.integers(positions).set(index);
  const out = c.heap.allocate(sizeOf(shape));
  const wrong = c.heap.kernels.gather(
    blockOf(c.heap, x, 'plain').pointer,
    positions.pointer,
    out.pointer,
    sizeOf(x.shape.slice(0, axis)),
    x.shape[axis]!,
    index.length,
    sizeOf(x.shape.slice(axis + 1)),
  );
  c.heap.release(positions);
  if (wrong) {
    c.heap.release(out);
    throw wrongShapes(c.node, `indices within ${x.shape[axis]}`, 'one outside');
  }
  return deviceValue(x.dtype, shape, out);
}
