import type { Tensor } from '@espalier/core';
import { strided, stridesOf } from './strided.js';

/** The shape that both broadcast to by the ONNX (NumPy) rule; undefined when they do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a.at(-i) ?? 1;
    const y = b.at(-i) ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape[rank - i] = x === 1 ? y : x;
  }
  return shape;
}

/** The tensor repeated to a shape it broadcasts to; the same object when it has that shape. */
export function broadcastTo(source: Tensor, shape: readonly number[]): Tensor {
  const lead = shape.length - source.shape.length;
  if (lead === 0 && source.shape.every((dim, axis) => dim === shape[axis])) return source;
  const own = stridesOf(source.shape);
  return strided(source, {
    shape,
    strides: shape.map((_, axis) => (axis < lead || source.shape[axis - lead] === 1 ? 0 : own[axis - lead]!)),
  });
}
