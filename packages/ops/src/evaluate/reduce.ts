import { intOf, isFloat, longs, sizeOf, tensor } from '@espalier/core';
import { larger, smaller } from './bigints.js';
import { axesWithin, axisWithin, type Call, type Evaluator, fits } from './evaluator.js';
import { listedOf } from './forms.js';
import { bigintsOf, numbersOf, resultsOf } from './numeric.js';
import { stridesOf } from './strided.js';

interface Fold<T> {
  readonly start: T;
  readonly step: (sum: T, x: T) => T;
  readonly end?: (sum: T, count: number) => T;
}

interface Rule {
  readonly real: Fold<number>;
  readonly big?: Fold<bigint>;
  /** Whether integers keep their meaning (a logarithm does not). */
  readonly integers?: boolean;
}

/** Output position of each input element, walking the input in order. */
function positions(shape: readonly number[], axes: readonly number[]): { map: Float64Array; kept: readonly number[] } {
  const kept = shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const steps = stridesOf(kept).map((step, axis) => (axes.includes(axis) ? 0 : step));
  let map = new Float64Array(1);
  for (const [axis, dim] of shape.entries()) {
    const next = new Float64Array(map.length * dim);
    let at = 0;
    for (const base of map) for (let i = 0; i < dim; i++) next[at++] = base + i * steps[axis]!;
    map = next;
  }
  return { map, kept };
}

/** Axes to reduce: given, all when absent, or none with `noop_with_empty_axes`. */
function axesOf(call: Call, rank: number): readonly number[] | undefined {
  const given = listedOf(call, 1, 'axes');
  if (given === 'unknown') return undefined;
  if (given !== 'absent' && given.length > 0) return axesWithin(given, rank);
  return intOf(call.node, 'noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, i) => i);
}

const reduce =
  ({ real, big, integers = false }: Rule): Evaluator =>
  (call) => {
    const [x] = call.inputs;
    const axes = x && axesOf(call, x.shape.length);
    if (!x || !axes || !fits(call, x.dtype, x.shape)) return undefined;
    const bigs = bigintsOf(x);
    const numbers = bigs ? undefined : numbersOf(x);
    const form = bigs ? big : isFloat(x.dtype) || (integers && x.dtype !== 'bool') ? real : undefined;
    const from = (bigs ?? numbers) as ArrayLike<number> | undefined; // the form is the one for these elements
    if (!form || !from?.length) return undefined;
    const { map, kept } = positions(x.shape, axes);
    const sums = fold(form as Fold<number>, from, { map, size: sizeOf(kept) });
    const shape = intOf(call.node, 'keepdims', 1) === 1 ? kept : kept.filter((_, axis) => !axes.includes(axis));
    const { values, finish } = resultsOf(x.dtype, shape);
    for (let i = 0; i < sums.length; i++) values[i] = sums[i]!;
    return [finish()];
  };

// Sums are kept in float64 (bigints for int64) and rounded once.
function fold<T>({ start, step, end }: Fold<T>, from: ArrayLike<T>, to: { map: Float64Array; size: number }): T[] {
  const sums = new Array<T>(to.size).fill(start);
  for (let i = 0; i < from.length; i++) sums[to.map[i]!] = step(sums[to.map[i]!]!, from[i]!);
  return end ? sums.map((sum) => end(sum, from.length / to.size)) : sums;
}

const sum = (a: number, x: number) => a + x;
const low = Number.NEGATIVE_INFINITY;

/** Reductions over axes; log-sum-exp is computed plainly in float64, whose range float32 inputs up to 709 do not leave. */
export const reduceEvaluators = {
  ReduceSum: reduce({ real: { start: 0, step: sum }, big: { start: 0n, step: (a, x) => a + x }, integers: true }),
  ReduceMean: reduce({
    real: { start: 0, step: sum, end: (total, count) => total / count },
    big: { start: 0n, step: (a, x) => a + x, end: (total, count) => (count > 0 ? total / BigInt(count) : 0n) },
    integers: true,
  }),
  ReduceProd: reduce({
    real: { start: 1, step: (a, x) => a * x },
    big: { start: 1n, step: (a, x) => a * x },
  }),
  ReduceMax: reduce({
    real: { start: low, step: Math.max },
    big: { start: -(2n ** 63n), step: larger },
    integers: true,
  }),
  ReduceMin: reduce({
    real: { start: -low, step: Math.min },
    big: { start: 2n ** 64n, step: smaller },
    integers: true,
  }),
  ReduceL1: reduce({ real: { start: 0, step: (a, x) => a + Math.abs(x) } }),
  ReduceL2: reduce({ real: { start: 0, step: (a, x) => a + x * x, end: Math.sqrt } }),
  ReduceSumSquare: reduce({ real: { start: 0, step: (a, x) => a + x * x } }),
  ReduceLogSum: reduce({ real: { start: 0, step: sum, end: Math.log } }),
  ReduceLogSumExp: reduce({ real: { start: 0, step: (a, x) => a + Math.exp(x), end: Math.log } }),
} satisfies Record<string, Evaluator>;

const arg =
  (better: (candidate: number, best: number) => boolean): Evaluator =>
  (call) => {
    const [x] = call.inputs;
    const axis = x && axisWithin(intOf(call.node, 'axis', 0), x.shape.length);
    const from = x && ((bigintsOf(x) ?? numbersOf(x)) as ArrayLike<number> | undefined); // compared only
    if (!x || axis === undefined || !from || x.shape[axis] === 0 || !fits(call, 'int64', x.shape)) return undefined;
    const last = intOf(call.node, 'select_last_index', 0) === 1;
    const kept = x.shape.with(axis, 1);
    const inner = sizeOf(x.shape.slice(axis + 1));
    const found = Array.from({ length: sizeOf(kept) }, (_, line) => {
      const base = Math.floor(line / inner) * x.shape[axis]! * inner + (line % inner);
      let best = 0;
      for (let i = 1; i < x.shape[axis]!; i++) {
        const [candidate, champion] = [from[base + i * inner]!, from[base + best * inner]!];
        if (better(candidate, champion) || (last && candidate === champion)) best = i;
      }
      return best;
    });
    return [longs(found, intOf(call.node, 'keepdims', 1) === 1 ? kept : kept.toSpliced(axis, 1))];
  };

/** NonZero: the coordinates of all elements but zeros, one row per axis, in row-major order. */
const nonZero: Evaluator = (call) => {
  const [x] = call.inputs;
  const from = x && ((bigintsOf(x) ?? numbersOf(x)) as ArrayLike<number | bigint> | undefined);
  if (!x || !from || x.shape.length === 0) return undefined;
  const hits: number[] = [];
  for (let i = 0; i < from.length; i++) if (Number(from[i]) !== 0) hits.push(i);
  const shape = [x.shape.length, hits.length];
  if (!fits(call, 'int64', shape)) return undefined;
  const strides = stridesOf(x.shape);
  const rows = x.shape.flatMap((dim, axis) => hits.map((hit) => Math.floor(hit / strides[axis]!) % dim));
  return [tensor('int64', shape, BigInt64Array.from(rows, BigInt))];
};

/** Ops that find positions. */
export const searchEvaluators = {
  ArgMax: arg((candidate, best) => candidate > best),
  ArgMin: arg((candidate, best) => candidate < best),
  NonZero: nonZero,
} satisfies Record<string, Evaluator>;
