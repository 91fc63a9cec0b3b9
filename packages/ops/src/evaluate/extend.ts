import { fromNumbers, intOf, sizeOf, type Tensor, textOf } from '@espalier/core';
import { broadcastShape, broadcastTo } from './broadcast.js';
import { axisWithin, type Call, type Evaluator, fits } from './evaluator.js';
import { allOf, listedOf } from './forms.js';
import { wholeNumbersOf } from './numeric.js';
import { isMovable, strided, stridesOf, take } from './strided.js';

const concat: Evaluator = (call) => {
  const parts = allOf(call.inputs);
  const first = parts?.[0];
  const axis = first && axisWithin(intOf(call.node, 'axis', 1), first.shape.length);
  if (!parts || !first || axis === undefined || !isMovable(first.dtype)) return undefined;
  const alike = ({ dtype, shape }: Tensor) =>
    dtype === first.dtype &&
    shape.length === first.shape.length &&
    shape.every((d, k) => k === axis || d === first.shape[k]);
  const shape = first.shape.with(
    axis,
    parts.reduce((sum, part) => sum + part.shape[axis]!, 0),
  );
  return parts.every(alike) && fits(call, first.dtype, shape) ? [joined(parts, axis, shape)] : undefined;
};

function joined(parts: readonly Tensor[], axis: number, shape: readonly number[]): Tensor {
  const [first] = parts;
  if (first!.dtype === 'string') {
    const rows = sizeOf(shape.slice(0, axis));
    const data = Array.from({ length: rows }, (_, row) => parts.flatMap((part) => rowOf(part, row, rows))).flat();
    return { dtype: 'string', shape, data };
  }
  const data = new (first!.data.constructor as Float32ArrayConstructor)(sizeOf(shape)); // the storage kind of all parts
  const rows = sizeOf(shape.slice(0, axis));
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (const part of parts) {
      const length = part.data.length / rows;
      data.set((part.data as Float32Array).subarray(row * length, (row + 1) * length), at);
      at += length;
    }
  }
  return { ...first, shape, data } as Tensor; // dtype and storage kind are the first part's
}

function rowOf({ data }: Tensor, row: number, rows: number): readonly string[] {
  const length = data.length / rows;
  return (data as readonly string[]).slice(row * length, (row + 1) * length); // only called with text
}

const expand: Evaluator = (call) => {
  const [x, target] = call.inputs;
  const wanted = wholeNumbersOf(target);
  const shape = x && wanted && broadcastShape(x.shape, wanted);
  return shape && isMovable(x.dtype) && fits(call, x.dtype, shape) ? [broadcastTo(x, shape)] : undefined;
};

const tile: Evaluator = (call) => {
  const [x, times] = call.inputs;
  const repeats = wholeNumbersOf(times);
  if (!x || repeats?.length !== x.shape.length || !isMovable(x.dtype)) return undefined;
  const shape = x.shape.map((dim, i) => dim * repeats[i]!);
  if (!fits(call, x.dtype, shape)) return undefined;
  // Each axis becomes (repeat, own): a view with a zero stride in front of every axis.
  const strides = stridesOf(x.shape).flatMap((stride) => [0, stride]);
  return [{ ...strided(x, { shape: x.shape.flatMap((dim, i) => [repeats[i]!, dim]), strides }), shape }];
};

/** Source index of every position of a padded axis; -1 where the fill value goes, undefined where a mode cannot reach. */
function paddedAxis(dim: number, { before, after, mode }: { before: number; after: number; mode: string }) {
  const out = new Float64Array(Math.max(0, dim + before + after));
  for (let i = 0; i < out.length; i++) {
    const at = i - before;
    const inside = at >= 0 && at < dim;
    const reach =
      mode === 'edge' ? dim >= 1 : mode === 'constant' || (at > -dim && at < 2 * dim - 1 + +(mode === 'wrap'));
    if (!inside && !reach) return undefined;
    if (inside) out[i] = at;
    else if (mode === 'edge') out[i] = at < 0 ? 0 : dim - 1;
    else if (mode === 'reflect') out[i] = at < 0 ? -at : 2 * (dim - 1) - at;
    else out[i] = mode === 'wrap' ? (at + dim) % dim : -1;
  }
  return out;
}

/** The number of elements that each axis gains before and after, from inputs (opset 11, axes in 18) or the attribute. */
function padsOf(call: Call, rank: number): readonly { before: number; after: number }[] | undefined {
  const pads = listedOf(call, 1, 'pads');
  const given = listedOf(call, 3, '');
  if (typeof pads === 'string' || given === 'unknown') return undefined;
  const axes = given === 'absent' ? Array.from({ length: rank }, (_, i) => i) : given.map((a) => axisWithin(a, rank));
  if (pads.length !== 2 * axes.length || axes.includes(undefined)) return undefined;
  const amounts = Array.from({ length: rank }, () => ({ before: 0, after: 0 }));
  axes.forEach((axis, i) => {
    amounts[axis!] = { before: pads[i]!, after: pads[i + axes.length]! };
  });
  return amounts;
}

const pad: Evaluator = (call) => {
  const [x, , value] = call.inputs;
  const mode = textOf(call.node, 'mode', 'constant');
  const pads = x && padsOf(call, x.shape.length);
  if (!x || !pads || !isMovable(x.dtype) || !['constant', 'reflect', 'edge', 'wrap'].includes(mode)) return undefined;
  const shape = x.shape.map((dim, i) => Math.max(0, dim + pads[i]!.before + pads[i]!.after));
  if (!fits(call, x.dtype, shape)) return undefined;
  if (call.node.inputs[2] !== undefined && value?.dtype !== x.dtype) return undefined;
  const attribute = call.node.attributes.get('value');
  const fill = value ?? (attribute?.kind === 'float' ? fromNumbers(x.dtype, [], [attribute.value]) : undefined);
  const axes = x.shape.map((dim, i) => paddedAxis(dim, { ...pads[i]!, mode }));
  return axes.includes(undefined) ? undefined : [take(x, crossed(axes as Float64Array[], x.shape), shape, fill)]; // none is undefined
};

/** Flat source indices of the grid that per-axis indices span; -1 wherever any axis says -1. */
function crossed(axes: readonly Float64Array[], shape: readonly number[]): Float64Array {
  const strides = stridesOf(shape);
  let flat = new Float64Array(1);
  for (const [k, axis] of axes.entries()) {
    const next = new Float64Array(flat.length * axis.length);
    let at = 0;
    for (const base of flat)
      for (const index of axis) next[at++] = base < 0 || index < 0 ? -1 : base + index * strides[k]!;
    flat = next;
  }
  return flat;
}

/** Ops that join or enlarge tensors. */
export const extendEvaluators = {
  Concat: concat,
  Expand: expand,
  Tile: tile,
  Pad: pad,
} satisfies Record<string, Evaluator>;
