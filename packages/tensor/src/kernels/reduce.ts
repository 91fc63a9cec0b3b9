import { intOf, sizeOf } from '@espalier/core';
import type { Call, Kernel } from '../kernel.js';
import { at, axisOf, isReal, listed, need, numbersAt } from '../operands.js';
import { blockOf, deviceValue, type Layout, layoutOf, type Value } from '../value.js';
import { applyBinary, physicalOrder } from './binary.js';
import { unaryCodes } from './unary.js';

/** Numbers of the operations in assembly/reduce.ts. */
const codes = { sum: 0, squares: 1, magnitudes: 2, max: 3, min: 4, product: 5 } as const;

/** The axes to reduce, from the front; undefined means none at all (`noop_with_empty_axes`). */
function axesOf(c: Call, rank: number): readonly number[] | undefined {
  const given = listed(c, 1, 'axes');
  if (!given?.length)
    return intOf(c.node, 'noop_with_empty_axes', 0) === 1 ? undefined : Array.from({ length: rank }, (_, i) => i);
  return given.map((axis) => axisOf(c, axis, rank));
}

/** Whether the result of reducing channels-last memory lies in memory as some layout says. */
function resultLayout(rank: number, axes: ReadonlySet<number>, keep: boolean): Layout | undefined {
  if (keep) return 'last';
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  return axes.has(1) || spatial.every((axis) => axes.has(axis)) ? 'plain' : undefined;
}

/** Runs of neighbouring axes that are reduced, one reduction each, from the last to the first. */
export function reduced(
  c: Call,
  x: Value,
  {
    code,
    axes,
    keep,
    mean = false,
  }: {
    readonly code: keyof typeof codes;
    readonly axes: readonly number[];
    readonly keep: boolean;
    readonly mean?: boolean;
  },
): Value {
  const rank = x.shape.length;
  const gone = new Set(axes);
  const last = layoutOf(x) === 'last' ? resultLayout(rank, gone, keep) : undefined;
  const own: Layout = last ? 'last' : 'plain';
  const order = physicalOrder(rank, own);
  let sizes = order.map((axis) => x.shape[axis]!);
  const flags = order.map((axis) => gone.has(axis));
  const source = blockOf(c.heap, x, own);
  let block = source;
  let scale = mean ? 1 / axes.reduce((count, axis) => count * x.shape[axis]!, 1) : 1;
  let step: keyof typeof codes = code;
  for (let end = rank; end > 0; end--) {
    if (!flags[end - 1]) continue;
    let begin = end;
    while (begin > 0 && flags[begin - 1]) begin--;
    const [outer, length, inner] = [
      sizeOf(sizes.slice(0, begin)),
      sizeOf(sizes.slice(begin, end)),
      sizeOf(sizes.slice(end)),
    ];
    const out = c.heap.allocate(outer * inner);
    c.heap.kernels.reduce(codes[step], block.pointer, out.pointer, outer, length, inner, scale);
    if (block !== source) c.heap.release(block);
    block = out;
    sizes = sizes.map((size, i) => (i >= begin && i < end ? 1 : size));
    scale = 1;
    if (step === 'squares' || step === 'magnitudes') step = 'sum'; // only the first one meets the elements
    end = begin + 1;
  }
  const shape = x.shape.flatMap((dim, axis) => (gone.has(axis) ? (keep ? [1] : []) : [dim]));
  if (block === source) block.holders++;
  return deviceValue(x.dtype, shape, block, last ?? 'plain');
}

const inPlace = (c: Call, value: Value, name: 'Log' | 'Sqrt'): readonly Value[] => {
  const { pointer, count } = blockOf(c.heap, value, layoutOf(value));
  c.heap.kernels.unary(unaryCodes[name], pointer, pointer, count, 0, 0);
  return [value];
};

const reduce =
  (code: keyof typeof codes, { mean = false, after }: { mean?: boolean; after?: 'Log' | 'Sqrt' } = {}): Kernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const axes = axesOf(c, x.shape.length) ?? [];
    if (axes.length === 0 && (code === 'squares' || code === 'magnitudes' || after)) return undefined;
    const value = reduced(c, x, { code, axes, keep: intOf(c.node, 'keepdims', 1) === 1, mean });
    return after ? inPlace(c, value, after) : [value];
  };

/** log sum e^x = m + log sum e^(x - m), with m the maximum. */
const logSumExp: Kernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return undefined;
  const axes = axesOf(c, x.shape.length);
  if (!axes) return undefined;
  const top = reduced(c, x, { code: 'max', axes, keep: true });
  // Infinite maxima would give NaN by their own difference.
  const { pointer, count } = blockOf(c.heap, top, layoutOf(top));
  c.heap.kernels.unary(unaryCodes.Clip, pointer, pointer, count, -3.4028234663852886e38, 3.4028234663852886e38);
  const shifted = applyBinary({ ...c, dies: () => false }, 'Sub', { a: x, b: top });
  const inner = blockOf(c.heap, shifted, layoutOf(shifted));
  c.heap.kernels.unary(unaryCodes.Exp, inner.pointer, inner.pointer, inner.count, 0, 0);
  const sum = reduced(c, shifted, { code: 'sum', axes, keep: true });
  inPlace(c, sum, 'Log');
  const total = applyBinary({ ...c, dies: () => false }, 'Add', { a: sum, b: top });
  for (const value of [top, shifted, sum])
    for (const block of new Set([value.plain, value.last])) if (block) c.heap.release(block);
  if (intOf(c.node, 'keepdims', 1) === 1) return [total];
  const block = blockOf(c.heap, total, 'plain');
  const shape = x.shape.filter((_, axis) => !axes.includes(axis));
  if (total.last && total.last !== block) c.heap.release(total.last);
  return [deviceValue(x.dtype, shape, block)];
};

const argExtreme =
  (sign: 1 | -1): Kernel =>
  (c) => {
    const x = need(c, 0);
    if (!isReal(x)) return undefined;
    const axis = axisOf(c, intOf(c.node, 'axis', 0), x.shape.length);
    const [outer, length, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
    const out = c.heap.allocate(outer * inner);
    c.heap.kernels.argExtreme(at(c, 0), out.pointer, outer, length, inner, sign, intOf(c.node, 'select_last_index', 0));
    const keep = intOf(c.node, 'keepdims', 1) === 1;
    const shape = x.shape.flatMap((dim, i) => (i === axis ? (keep ? [1] : []) : [dim]));
    return [deviceValue('int64', shape, out)];
  };

const cumSum: Kernel = (c) => {
  const x = need(c, 0);
  if (!isReal(x)) return undefined;
  const axis = axisOf(c, numbersAt(c, 1)?.[0] ?? 0, x.shape.length);
  const [outer, length, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
  const out = c.heap.allocate(sizeOf(x.shape));
  const [exclusive, reverse] = [intOf(c.node, 'exclusive', 0), intOf(c.node, 'reverse', 0)];
  c.heap.kernels.runningSum(at(c, 0), out.pointer, outer, length, inner, exclusive, reverse);
  return [deviceValue(x.dtype, x.shape, out)];
};

/** Reductions along axes. */
export const reduceKernels = {
  ReduceSum: reduce('sum'),
  ReduceMean: reduce('sum', { mean: true }),
  ReduceMax: reduce('max'),
  ReduceMin: reduce('min'),
  ReduceProd: reduce('product'),
  ReduceSumSquare: reduce('squares'),
  ReduceL1: reduce('magnitudes'),
  ReduceL2: reduce('squares', { after: 'Sqrt' }),
  ReduceLogSum: reduce('sum', { after: 'Log' }),
  ReduceLogSumExp: logSumExp,
  ArgMax: argExtreme(1),
  ArgMin: argExtreme(-1),
  CumSum: cumSum,
} as const satisfies Record<string, Kernel>;
