import { sizeOf } from '@espalier/core';
import type { Call, Kernel } from '../kernel.js';
import { isReal, listed, need, numbersAt, refuse } from '../operands.js';
import { blockOf, deviceValue, layoutOf, type Value } from '../value.js';
import { physicalOrder } from './binary.js';
import { extrapolationOf, resizedAxes, type Samples } from './samples.js';

/** One axis of a value resized, in the layout that it has. */
function resampled(c: Call, x: Value, axis: number, { taps, index, weights }: Samples): Value {
  const layout = layoutOf(x);
  const order = physicalOrder(x.shape.length, layout);
  const at = order.indexOf(axis);
  const sizes = order.map((each) => x.shape[each]!);
  const count = index.length / taps;
  const [positions, factors] = [c.heap.allocate(index.length), c.heap.allocate(weights.length)];
  c.heap.integers(positions).set(index);
  c.heap.floats(factors).set(weights);
  const shape = x.shape.with(axis, count);
  const from = blockOf(c.heap, x, layout);
  const out = c.heap.allocate(sizeOf(shape));
  const [outer, inner] = [sizeOf(sizes.slice(0, at)), sizeOf(sizes.slice(at + 1))];
  c.heap.kernels.resample(
    from.pointer,
    out.pointer,
    positions.pointer,
    factors.pointer,
    outer,
    x.shape[axis]!,
    count,
    inner,
    taps,
  );
  c.heap.release(positions);
  c.heap.release(factors);
  return deviceValue(x.dtype, shape, out, layout);
}

/** Overwrites what lies outside of the input; last of all, so that nothing is interpolated with it. */
function extrapolate(c: Call, value: Value, axis: number, { outside }: Samples): void {
  if (outside.length === 0) return;
  const layout = layoutOf(value);
  const order = physicalOrder(value.shape.length, layout);
  const sizes = order.map((each) => value.shape[each]!);
  const at = order.indexOf(axis);
  const [outer, length, inner] = [sizeOf(sizes.slice(0, at)), sizes[at]!, sizeOf(sizes.slice(at + 1))];
  const elements = c.heap.floats(blockOf(c.heap, value, layout));
  const filling = extrapolationOf(c);
  for (let row = 0; row < outer; row++) {
    for (const place of outside) {
      const from = (row * length + place) * inner;
      elements.fill(filling, from, from + inner);
    }
  }
}

const resize: Kernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return refuse(c, x.dtype);
  const slot = c.opset < 11 || c.node.op === 'Upsample' ? 1 : 2;
  const axes =
    listed(c, 99, 'axes')?.map((axis) => (axis < 0 ? axis + x.shape.length : axis)) ?? x.shape.map((_, i) => i);
  const scales = c.inputs[slot] && numbersAt(c, slot)?.length ? numbersAt(c, slot) : undefined;
  const sizes = slot === 2 ? numbersAt(c, 3) : undefined;
  const region = slot === 2 ? numbersAt(c, 1) : undefined;
  let value: Value = x;
  const resized = resizedAxes(c, { shape: x.shape, scales, sizes, region, axes });
  for (const { axis, samples } of resized) {
    const next = resampled(c, value, axis, samples);
    if (value !== x) c.heap.release(blockOf(c.heap, value, layoutOf(value)));
    value = next;
  }
  for (const { axis, samples } of resized) extrapolate(c, value, axis, samples);
  if (value !== x) return [value];
  const block = blockOf(c.heap, x, layoutOf(x));
  block.holders++;
  return [deviceValue(x.dtype, x.shape, block, layoutOf(x))];
};

/** Changes of size. */
export const resizeKernels = { Resize: resize, Upsample: resize } as const satisfies Record<string, Kernel>;
