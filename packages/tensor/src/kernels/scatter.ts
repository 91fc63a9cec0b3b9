import { intOf, sizeOf, textOf } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Block } from '../heap.js';
import type { Call, Kernel } from '../kernel.js';
import { at, axisOf, blockFor, isReal, need, numbersAt } from '../operands.js';
import { rowMajor } from '../strided.js';
import { blockOf, deviceValue, type Value } from '../value.js';

const modes: Readonly<Record<string, number>> = { none: 0, add: 1, mul: 2, max: 3, min: 4 };

/** The way to combine, or undefined if integers would have to be combined as floats. */
function modeOf(c: Call): number | undefined {
  const mode = modes[textOf(c.node, 'reduction', 'none')];
  return mode === 0 || isReal(need(c, 0)) ? mode : undefined;
}

/** The memory of input 0 as output: taken over where it dies, a copy otherwise. */
function copied(c: Call): Block {
  const from = blockOf(c.heap, need(c, 0), 'plain');
  const out = blockFor(c, 0, 'plain');
  if (out !== from) c.heap.integers(out).set(c.heap.integers(from));
  return out;
}

interface Along {
  readonly outer: number;
  readonly length: number;
  readonly count: number;
  readonly inner: number;
}

/** The sides of an index along one axis; undefined where the other axes are not of one size. */
function along(x: Value, index: Value, axis: number): Along | undefined {
  if (x.shape.some((dim, i) => i !== axis && dim !== index.shape[i])) return undefined;
  return {
    outer: sizeOf(x.shape.slice(0, axis)),
    length: x.shape[axis]!,
    count: index.shape[axis]!,
    inner: sizeOf(x.shape.slice(axis + 1)),
  };
}

const outside = (c: Call, length: number) => wrongShapes(c.node, `indices within ${length}`, 'one outside');

const gatherElements: Kernel = (c) => {
  const [x, index] = [need(c, 0), need(c, 1)];
  const sides = along(x, index, axisOf(c, intOf(c.node, 'axis', 0), x.shape.length));
  if (!sides) return undefined;
  const { outer, length, count, inner } = sides;
  const out = c.heap.allocate(sizeOf(index.shape));
  if (c.heap.kernels.elementsAlong(-1, at(c, 0), at(c, 1), out.pointer, outer, length, count, inner))
    throw outside(c, length);
  return [deviceValue(x.dtype, index.shape, out)];
};

const scatterElements: Kernel = (c) => {
  const [x, index] = [need(c, 0), need(c, 1)];
  const mode = modeOf(c);
  const sides = along(x, index, axisOf(c, intOf(c.node, 'axis', 0), x.shape.length));
  if (!sides || mode === undefined) return undefined;
  const { outer, length, count, inner } = sides;
  const [places, updates] = [at(c, 1), at(c, 2)];
  const out = copied(c);
  if (c.heap.kernels.elementsAlong(mode, out.pointer, places, updates, outer, length, count, inner))
    throw outside(c, length);
  return [deviceValue(x.dtype, x.shape, out)];
};

/** Flat positions of the slices that tuples of indices name. */
function positionsOf(c: Call, shape: readonly number[]): { readonly block: Block; readonly inner: number } {
  const index = need(c, 1);
  const depth = index.shape.at(-1) ?? 1;
  const steps = rowMajor(shape.slice(0, depth));
  const numbers = numbersAt(c, 1)!; // needed just above
  const positions = new Int32Array(numbers.length / depth);
  for (let i = 0; i < positions.length; i++) {
    for (let axis = 0; axis < depth; axis++) {
      const size = shape[axis]!;
      const given = numbers[i * depth + axis]!;
      const front = given < 0 ? given + size : given;
      if (front < 0 || front >= size) throw outside(c, size);
      positions[i]! += front * steps[axis]!;
    }
  }
  const block = c.heap.allocate(positions.length);
  c.heap.integers(block).set(positions);
  return { block, inner: sizeOf(shape.slice(depth)) };
}

const gatherND: Kernel = (c) => {
  if (intOf(c.node, 'batch_dims', 0) !== 0) return undefined;
  const [x, index] = [need(c, 0), need(c, 1)];
  const { block, inner } = positionsOf(c, x.shape);
  const shape = [...index.shape.slice(0, -1), ...x.shape.slice(index.shape.at(-1))];
  const out = c.heap.allocate(sizeOf(shape));
  c.heap.kernels.rowsAt(-1, at(c, 0), block.pointer, out.pointer, block.count, inner);
  c.heap.release(block);
  return [deviceValue(x.dtype, shape, out)];
};

const scatterND: Kernel = (c) => {
  const x = need(c, 0);
  const mode = modeOf(c);
  if (mode === undefined) return undefined;
  const { block, inner } = positionsOf(c, x.shape);
  const updates = at(c, 2);
  const out = copied(c);
  c.heap.kernels.rowsAt(mode, out.pointer, block.pointer, updates, block.count, inner);
  c.heap.release(block);
  return [deviceValue(x.dtype, x.shape, out)];
};

/** Reads and writes at places that indices name. */
export const scatterKernels = {
  GatherElements: gatherElements,
  GatherND: gatherND,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
} as const satisfies Record<string, Kernel>;
