import { intOf, sizeOf, type Tensor, textOf } from '@espalier/core';
import { axisWithin, type Evaluator, fits } from './evaluator.js';
import { wholeNumbersOf } from './numeric.js';
import { isMovable, stridesOf, take } from './strided.js';

/** Indices counted from the front; undefined when one is outside. */
function within(indices: readonly number[] | undefined, dim: number): readonly number[] | undefined {
  const front = indices?.map((index) => (index < 0 ? index + dim : index));
  return front?.every((index) => index >= 0 && index < dim) ? front : undefined;
}

const gather: Evaluator = (call) => {
  const [x, indices] = call.inputs;
  const axis = x && axisWithin(intOf(call.node, 'axis', 0), x.shape.length);
  if (!x || !indices || axis === undefined || !isMovable(x.dtype)) return undefined;
  const dim = x.shape[axis]!;
  const picks = within(wholeNumbersOf(indices), dim);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  if (!picks || !fits(call, x.dtype, shape)) return undefined;
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const from = new Float64Array(sizeOf(shape));
  let at = 0;
  for (let i = 0; i < outer; i++) {
    for (const pick of picks) {
      const base = (i * dim + pick) * inner;
      for (let j = 0; j < inner; j++) from[at++] = base + j;
    }
  }
  return [take(x, from, shape)];
};

/** Flat index of every element of `indices`' shape, with its own coordinate on `axis` replaced by the index there. */
function along(x: Tensor, { indices, picks, axis }: { indices: Tensor; picks: readonly number[]; axis: number }) {
  const own = stridesOf(x.shape);
  const steps = stridesOf(indices.shape);
  return Float64Array.from(picks, (pick, i) => {
    let flat = pick * own[axis]!;
    for (let k = 0; k < steps.length; k++) {
      if (k !== axis) flat += (Math.floor(i / steps[k]!) % indices.shape[k]!) * own[k]!;
    }
    return flat;
  });
}

const inBounds = (x: Tensor, indices: Tensor, axis: number) =>
  indices.shape.length === x.shape.length && indices.shape.every((dim, k) => k === axis || dim <= x.shape[k]!);

const gatherElements: Evaluator = (call) => {
  const [x, indices] = call.inputs;
  const axis = x && axisWithin(intOf(call.node, 'axis', 0), x.shape.length);
  if (!x || !indices || axis === undefined || !isMovable(x.dtype) || !inBounds(x, indices, axis)) return undefined;
  const picks = within(wholeNumbersOf(indices), x.shape[axis]!);
  if (!picks || !fits(call, x.dtype, indices.shape)) return undefined;
  return [take(x, along(x, { indices, picks, axis }), indices.shape)];
};

/** Start of the slice that each index tuple names, in elements; undefined when a tuple is outside. */
function tupleStarts(x: Tensor, indices: Tensor, batch: number): readonly number[] | undefined {
  const values = wholeNumbersOf(indices);
  const width = indices.shape.at(-1);
  if (!values || width === undefined || batch + width > x.shape.length) return undefined;
  const strides = stridesOf(x.shape);
  const perBatch = sizeOf(indices.shape.slice(batch, -1));
  const batchStep = batch > 0 ? strides[batch - 1]! : 0;
  const starts: number[] = [];
  for (let t = 0; t < sizeOf(indices.shape.slice(0, -1)); t++) {
    let start = Math.floor(t / perBatch) * batchStep;
    for (let k = 0; k < width; k++) {
      const dim = x.shape[batch + k]!;
      const value = values[t * width + k]!;
      const index = value < 0 ? value + dim : value;
      if (index < 0 || index >= dim) return undefined;
      start += index * strides[batch + k]!;
    }
    starts.push(start);
  }
  return starts;
}

const gatherND: Evaluator = (call) => {
  const [x, indices] = call.inputs;
  const batch = intOf(call.node, 'batch_dims', 0);
  if (!x || !indices || !isMovable(x.dtype) || batch < 0 || batch >= indices.shape.length) return undefined;
  const starts = tupleStarts(x, indices, batch);
  if (!starts) return undefined;
  const rest = x.shape.slice(batch + indices.shape.at(-1)!);
  const shape = [...indices.shape.slice(0, -1), ...rest];
  if (!fits(call, x.dtype, shape)) return undefined;
  const inner = sizeOf(rest);
  const from = new Float64Array(sizeOf(shape));
  starts.forEach((start, t) => {
    for (let j = 0; j < inner; j++) from[t * inner + j] = start + j;
  });
  return [take(x, from, shape)];
};

/** Copies `x` and writes `updates[i]` at flat index `targets[i]`. */
function scattered(x: Tensor, targets: ArrayLike<number>, updates: Tensor): Tensor {
  const data = x.data.slice() as unknown as number[]; // elements are moved between storages of one kind
  const from = updates.data as ArrayLike<number>;
  for (let i = 0; i < targets.length; i++) data[targets[i]!] = from[i]!;
  return { ...x, data } as unknown as Tensor; // a copy of the same storage kind
}

const scatterElements: Evaluator = (call) => {
  const [x, indices, updates] = call.inputs;
  const axis = x && axisWithin(intOf(call.node, 'axis', 0), x.shape.length);
  if (!x || !indices || !updates || axis === undefined || !isMovable(x.dtype)) return undefined;
  const picks = within(wholeNumbersOf(indices), x.shape[axis]!);
  const plain = textOf(call.node, 'reduction', 'none') === 'none' && updates.dtype === x.dtype;
  if (!picks || !plain || !inBounds(x, indices, axis) || !fits(call, x.dtype, x.shape)) return undefined;
  if (sizeOf(updates.shape) !== picks.length) return undefined;
  return [scattered(x, along(x, { indices, picks, axis }), updates)];
};

const scatterND: Evaluator = (call) => {
  const [x, indices, updates] = call.inputs;
  if (!x || !indices || !updates || !isMovable(x.dtype) || updates.dtype !== x.dtype) return undefined;
  const starts = indices.shape.length > 0 ? tupleStarts(x, indices, 0) : undefined;
  if (!starts || textOf(call.node, 'reduction', 'none') !== 'none' || !fits(call, x.dtype, x.shape)) return undefined;
  const inner = sizeOf(x.shape.slice(indices.shape.at(-1)!));
  if (sizeOf(updates.shape) !== starts.length * inner) return undefined;
  const targets = new Float64Array(starts.length * inner);
  starts.forEach((start, t) => {
    for (let j = 0; j < inner; j++) targets[t * inner + j] = start + j;
  });
  return [scattered(x, targets, updates)];
};

/** Ops that pick or place elements by index tensors. */
export const gatherEvaluators = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
} satisfies Record<string, Evaluator>;
