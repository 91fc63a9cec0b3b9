import { intOf } from '@espalier/core';
import { wrongShapes } from '../errors.js';
import type { Kernel } from '../kernel.js';
import { axisOf, listed, need, numbersAt, refuse } from '../operands.js';
import { layoutOf, stridesIn } from '../value.js';
import { viewed } from './views.js';

const split: Kernel = (c) => {
  const x = need(c, 0);
  const axis = axisOf(c, intOf(c.node, 'axis', 0), x.shape.length);
  const size = x.shape[axis]!;
  const count = intOf(c.node, 'num_outputs', c.node.outputs.length);
  const each = Math.ceil(size / count);
  const sizes = listed(c, 1, 'split') ?? Array.from({ length: count }, (_, i) => Math.min(each, size - i * each));
  if (sizes.some((part) => part < 0) || sizes.reduce((sum, part) => sum + part, 0) !== size)
    throw wrongShapes(c.node, `parts that add up to ${size}`, `${sizes.join(', ')}`);
  const layout = layoutOf(x);
  const strides = stridesIn(x.shape, layout);
  let from = 0;
  return sizes.map((part) => {
    const first = from * strides[axis]!;
    from += part;
    return viewed(c, x, { shape: x.shape.with(axis, part), strides, first, layout });
  });
};

/** Where a slice begins and how many elements it takes, by ONNX's clamping. */
function sliced(size: number, begin: number, end: number, step: number): { first: number; count: number } {
  const front = (at: number) => (at < 0 ? at + size : at);
  const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at, low), high);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const first = clamp(front(begin), step > 0 ? 0 : 0, step > 0 ? size : size - 1);
  const stop = clamp(front(end), low, high);
  return { first, count: Math.max(0, Math.ceil((stop - first) / step)) };
}

const slice: Kernel = (c) => {
  const x = need(c, 0);
  const begins = listed(c, 1, 'starts') ?? refuse(c, 'no starts');
  const ends = listed(c, 2, 'ends') ?? refuse(c, 'no ends');
  const axes = listed(c, 3, 'axes') ?? begins.map((_, i) => i);
  const stepsOf = numbersAt(c, 4) ?? begins.map(() => 1);
  const layout = layoutOf(x);
  const own = stridesIn(x.shape, layout);
  const [shape, strides] = [[...x.shape], [...own]];
  let first = 0;
  axes.forEach((given, i) => {
    const axis = axisOf(c, given, x.shape.length);
    const step = stepsOf[i] ?? 1;
    if (step === 0) throw wrongShapes(c.node, 'steps other than 0', '0');
    const part = sliced(x.shape[axis]!, begins[i]!, ends[i] ?? 0, step);
    first += part.first * own[axis]!;
    shape[axis] = part.count;
    strides[axis] = own[axis]! * step;
  });
  return [viewed(c, x, { shape, strides, first, layout })];
};

/** Parts of arrays. */
export const sliceKernels = { Split: split, Slice: slice } as const satisfies Record<string, Kernel>;
