import { intOf, type Tensor } from '@espalier/core';
import { axisWithin, type Call, type Evaluator, fits } from './evaluator.js';
import { type Listed, listedOf } from './forms.js';
import { wholeNumbersOf } from './numeric.js';
import { isMovable, strided, stridesOf } from './strided.js';

/** The part of one axis that Slice takes. */
export interface Cut {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** The elements of an axis of `dim` that start, end and step select, clamped as ONNX says (Slice-13). */
export function cutOf(dim: number, { start, end, step }: { start: number; end: number; step: number }): Cut {
  const clamp = (value: number, low: number, high: number) =>
    Math.min(Math.max(value < 0 ? value + dim : value, low), high);
  const first = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
  const last = step > 0 ? clamp(end, 0, dim) : clamp(end, -1, dim - 1);
  return { start: first, step, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** Slice's four lists, from inputs (opset 10) or attributes; `axes` and `steps` filled in. */
export function sliceListsOf(call: Call) {
  const lists = ['starts', 'ends', 'axes', 'steps'].map((name, i): Listed => listedOf(call, i + 1, name));
  const [starts, ends, axes, steps] = lists;
  if (!Array.isArray(starts) || !Array.isArray(ends) || axes === 'unknown' || steps === 'unknown') return undefined;
  return {
    starts: starts as readonly number[],
    ends: ends as readonly number[],
    axes: Array.isArray(axes) ? (axes as readonly number[]) : starts.map((_, i) => i),
    steps: Array.isArray(steps) ? (steps as readonly number[]) : starts.map(() => 1),
  };
}

/** Slice as a view of the input. */
export const slice: Evaluator = (call) => {
  const [x] = call.inputs;
  const lists = sliceListsOf(call);
  if (!x || !isMovable(x.dtype) || !lists) return undefined;
  const shape = [...x.shape];
  const own = stridesOf(x.shape);
  const strides = [...own];
  let offset = 0;
  for (const [i, given] of lists.axes.entries()) {
    const axis = axisWithin(given, x.shape.length);
    const step = lists.steps[i];
    if (axis === undefined || !step || lists.ends[i] === undefined) return undefined;
    const cut = cutOf(x.shape[axis]!, { start: lists.starts[i]!, end: lists.ends[i]!, step });
    shape[axis] = cut.count;
    strides[axis] = own[axis]! * cut.step;
    offset += cut.start * own[axis]!;
  }
  return fits(call, x.dtype, shape) ? [strided(x, { shape, strides, offset })] : undefined;
};

/** Sizes of the parts: given, or equal ones (the last smaller where `num_outputs` does not divide). */
function partsOf(call: Call, dim: number): readonly number[] | undefined {
  const given = listedOf(call, 1, 'split');
  const count = call.node.outputs.length;
  if (given === 'unknown') return undefined;
  if (given !== 'absent') return given.length === count ? given : undefined;
  if (intOf(call.node, 'num_outputs', count) !== count) return undefined;
  const part = Math.ceil(dim / count);
  return Array.from({ length: count }, (_, i) => Math.min(part, dim - i * part));
}

/** Split: each part is a view of the input. */
export const split: Evaluator = (call) => {
  const [x] = call.inputs;
  const axis = x && axisWithin(intOf(call.node, 'axis', 0), x.shape.length);
  if (!x || axis === undefined || !isMovable(x.dtype) || !fits(call, x.dtype, x.shape)) return undefined;
  const parts = partsOf(call, x.shape[axis]!);
  if (!parts?.every((part) => part >= 0) || parts.reduce((a, b) => a + b, 0) !== x.shape[axis]) return undefined;
  const strides = stridesOf(x.shape);
  let start = 0;
  return parts.map((part) => {
    const offset = start * strides[axis]!;
    start += part;
    return strided(x, { shape: x.shape.with(axis, part), strides, offset });
  });
};

/** Trilu: keeps the upper or lower triangle of the last two axes, from diagonal k on. */
export const trilu: Evaluator = (call) => {
  const [x, diagonal] = call.inputs;
  if (!x || x.shape.length < 2 || !isMovable(x.dtype) || !fits(call, x.dtype, x.shape)) return undefined;
  const k = call.node.inputs[1] === undefined ? 0 : wholeNumbersOf(diagonal)?.[0];
  if (k === undefined) return undefined;
  const upper = intOf(call.node, 'upper', 1) === 1;
  return [triangle(x, (row, column) => (upper ? column - row >= k : column - row <= k))];
};

function triangle(x: Tensor, keep: (row: number, column: number) => boolean): Tensor {
  const [rows, columns] = x.shape.slice(-2) as [number, number]; // rank was checked by the caller
  const data = x.data.slice() as unknown as number[]; // only zeros (or empty strings) are written
  const zero = (x.dtype === 'string' ? '' : x.dtype.endsWith('int64') ? 0n : 0) as number;
  for (let i = 0; i < data.length; i++) {
    if (!keep(Math.floor(i / columns) % rows, i % columns)) data[i] = zero;
  }
  return { ...x, data } as unknown as Tensor; // a copy of the same storage kind
}
