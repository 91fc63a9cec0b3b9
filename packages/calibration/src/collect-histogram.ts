import {
  type Adder,
  type Collector,
  type Evidence,
  type Histogram,
  int,
  type NeedOf,
  type Range,
  type StatisticsGraph,
  type Tensor,
  tensor,
  text,
  toFloats,
  type ValueId,
} from '@espalier/core';
import { rangeOf } from './collect-range.js';
import { impossibleNeed } from './errors.js';
import { overSlices } from './over-slices.js';

/**
 * Counts over `bins` equal bins between the smallest and the largest value that the first pass found. An element x
 * is counted in bin min(bins - 1, trunc((x - min) bins / (max - min))), computed in float32; when all values are
 * equal, in bin 0. Every element is counted once: counts are whole numbers and exact.
 */
export const collectHistogram: Collector<'histogram'> = {
  values: ({ value }) => [value],
  after: ({ value }) => [{ statistic: 'range', value }],
  opset: 16, // ScatterElements that adds
  probe(need, statistics, earlier) {
    const bins = checkedBins(need);
    const range = rangeFrom(earlier, need);
    const counts = new Float64Array(bins);
    // No bin is narrow enough to tell anything of a range without end: the counts stay 0.
    if (!Number.isFinite(range.max - range.min)) {
      const fetch = [statistics.reduce('ReduceMin', statistics.asFloat(need.value))];
      return { fetch, add() {}, answer: () => ({ ...range, counts }) };
    }
    return {
      fetch: [countInGraph(need.value, binsOf(range, bins), statistics)],
      add([found]) {
        const { data } = found as Tensor<'int32'>; // the type of the carried counts
        for (let i = 0; i < bins; i++) counts[i]! += data[i]!;
      },
      answer: () => ({ ...range, counts }),
    };
  },
  ofConstant: (need, constant) => histogramOf(constant, checkedBins(need)),
};

/** The bin of an element: trunc((x half - min) scale), at most bins - 1. */
interface Bins extends Range {
  readonly bins: number;
  /** 1, or 1/2 where max - min would overflow float32; `min` and `scale` are for x times it. */
  readonly half: number;
  readonly scale: number;
}

const largest = 3.4028234663852886e38; // of float32

function binsOf({ min, max }: Range, bins: number): Bins {
  const half = max - min > largest ? 0.5 : 1;
  const width = max * half - min * half;
  const scale = width > 0 ? Math.min(Math.fround(bins / width), largest) : 0;
  return { min: min * half, max: max * half, bins, half, scale };
}

// Slices of this many elements stay in the processor's second cache, and keep every temporary below a megabyte.
const sliceLength = 65536;

function countInGraph(value: ValueId, grid: Bins, statistics: StatisticsGraph): ValueId {
  const { builder, once } = statistics;
  const all = once(`flat ${value}`, () => builder.add('Reshape', [statistics.asFloat(value), statistics.longs([-1])]));
  const start = once(`bins ${grid.bins}`, () =>
    builder.constant('no_counts', tensor('int32', [grid.bins], new Int32Array(grid.bins))),
  );
  const [counts] = overSlices(statistics, {
    value: all,
    rows: statistics.longs([sliceLength]),
    carried: [{ from: start, dtype: 'int32' }],
    stacked: 0,
    body: (slice, [before], into) => [countSlice(slice, { before: before!, grid, into, statistics })],
  });
  return counts!;
}

function countSlice(
  slice: ValueId,
  {
    before,
    grid,
    into,
    statistics: { builder, once, scalar },
  }: { readonly before: ValueId; readonly grid: Bins; readonly into: Adder; readonly statistics: StatisticsGraph },
): ValueId {
  const scaled = grid.half === 1 ? slice : into.add('Mul', [slice, scalar(grid.half)]);
  const place = into.add('Mul', [into.add('Sub', [scaled, scalar(grid.min)]), scalar(grid.scale)]);
  // The upper end belongs to the last bin; the lower limit matters only if the data is not the same as before.
  const inside = into.add('Clip', [place, scalar(0), scalar(grid.bins - 1)]);
  const index = into.add('Cast', [inside], { attributes: { to: int(6) } }); // INT32, truncating
  const one = once('one count', () => builder.constant('one_count', tensor('int32', [1], new Int32Array([1]))));
  const ones = into.add('Expand', [one, into.add('Shape', [index])]);
  // Not ScatterND: runtimes may add there from several threads at once, and lose counts.
  return into.add('ScatterElements', [before, index, ones], { attributes: { reduction: text('add'), axis: int(0) } });
}

/** The histogram of a tensor on the host, by the same formula as in the graph. */
function histogramOf(source: Tensor, bins: number): Histogram {
  const range = rangeOf(source);
  const { min, half, scale } = binsOf(range, bins);
  const counts = new Float64Array(bins);
  const values = toFloats(source);
  for (let i = 0; i < values.length; i++) {
    const place = Math.fround(Math.fround(values[i]! * half - min) * scale);
    counts[Math.min(bins - 1, Math.trunc(place))]! += 1;
  }
  return { ...range, counts };
}

function checkedBins(need: NeedOf<'histogram'>): number {
  const { bins } = need;
  if (Number.isInteger(bins) && bins >= 1 && bins <= 2 ** 20) return bins;
  throw impossibleNeed(need, { expected: 'a whole number of bins from 1 to 1048576', found: String(bins) });
}

function rangeFrom(earlier: Evidence, { value }: NeedOf<'histogram'>): Range {
  return earlier.find({ statistic: 'range', value }) ?? { min: 0, max: 0 };
}
