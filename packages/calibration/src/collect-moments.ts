import {
  type Collector,
  int,
  type StatisticsGraph,
  type Tensor,
  toFloats,
  toNumbers,
  type ValueId,
} from '@espalier/core';
import { channelsOf, checkedAxis } from './channels.js';
import { axisChanged, notFinite } from './errors.js';
import { overSlices } from './over-slices.js';

/**
 * Mean and (population) variance per index of an axis. Each slice of a batch yields its float32 mean m, and the sums
 * of d = x - m and of d² (which correct the rounding of m); slices and batches are combined in float64 by the
 * pairwise update of Chan, Golub and LeVeque 1983 (doi 10.1080/00031305.1983.10483115):
 * M2 = M2a + M2b + δ² na nb / (na + nb), with δ the difference of the means.
 */
export const collectMoments: Collector<'moments'> = {
  values: ({ value }) => [value],
  opset: 13, // reductions and Squeeze with axes as inputs, whole-number Max
  probe(need, statistics) {
    const { value } = need;
    const fetch = sumsInGraph(statistics.around(value, checkedAxis(need, statistics.model)), statistics);
    let moments: Moments | undefined;
    return {
      fetch,
      add([means, sums, squares, counts]) {
        const channels = means!.shape[1]!;
        moments ??= noMoments(channels);
        if (moments.count.length !== channels) throw axisChanged(need, moments.count.length, channels);
        const [m, s1, s2] = [toFloats(means!), toFloats(sums!), toFloats(squares!)];
        toNumbers(counts!).forEach((count, slice) => {
          for (let c = 0, i = slice * channels; c < channels; c++, i++) {
            addSlice(moments!, c, { count, mean: m[i]! + s1[i]! / count, m2: s2[i]! - s1[i]! ** 2 / count });
          }
        });
        if (!moments.m2.every(Number.isFinite)) throw notFinite(statistics.model, value, 'NaN or infinity');
      },
      answer: () => answerOf(moments ?? noMoments(0)),
    };
  },
  ofConstant(need, tensor) {
    const axis = checkedAxis(need, undefined, tensor.shape.length);
    return momentsOf(tensor, axis);
  },
};

interface Moments {
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly m2: Float64Array;
}

const noMoments = (channels: number): Moments => ({
  count: new Float64Array(channels),
  mean: new Float64Array(channels),
  m2: new Float64Array(channels),
});

function addSlice(
  { count, mean, m2 }: Moments,
  c: number,
  more: { readonly count: number; readonly mean: number; readonly m2: number },
): void {
  const total = count[c]! + more.count;
  if (more.count === 0) return;
  const delta = more.mean - mean[c]!;
  m2[c]! += Math.max(0, more.m2) + (delta ** 2 * count[c]! * more.count) / total;
  mean[c]! += (delta * more.count) / total;
  count[c] = total;
}

const answerOf = ({ count, mean, m2 }: Moments) => ({ mean, variance: m2.map((sum, c) => sum / (count[c] || 1)) });

// Elements in a slice, where rows are not longer than that.
const sliceLength = 65536;

function sumsInGraph(source: ValueId, statistics: StatisticsGraph): readonly ValueId[] {
  const { builder, longs, reduce } = statistics;
  const length = builder.add(
    'ReduceProd',
    [builder.add('Slice', [builder.add('Shape', [source]), longs([1]), longs([3])])],
    {
      attributes: { keepdims: int(1) },
    },
  );
  const rows = builder.add('Max', [
    builder.add('Div', [longs([sliceLength]), builder.add('Max', [length, longs([1])])]),
    longs([1]),
  ]);
  return overSlices(statistics, {
    value: source,
    rows,
    carried: [],
    stacked: 4,
    body(slice, _carried, into) {
      const mean = reduce('ReduceMean', slice, { axes: [0, 2], keep: true, into });
      const difference = into.add('Sub', [slice, mean]);
      const size = into.add('Div', [into.add('Size', [slice]), into.add('Size', [mean])]);
      return [
        into.add('Reshape', [mean, longs([-1])]),
        reduce('ReduceSum', difference, { axes: [0, 2], into }),
        reduce('ReduceSumSquare', difference, { axes: [0, 2], into }),
        size,
      ];
    },
  });
}

function momentsOf(tensor: Tensor, axis: number) {
  const { outer, count, inner } = channelsOf(tensor.shape, axis);
  const values = toFloats(tensor);
  const rows = outer * inner;
  const mean = new Float64Array(count);
  const variance = new Float64Array(count);
  if (rows === 0) return { mean, variance };
  for (let a = 0, i = 0; a < outer; a++) {
    for (let c = 0; c < count; c++) for (let b = 0; b < inner; b++, i++) mean[c]! += values[i]! / rows;
  }
  for (let a = 0, i = 0; a < outer; a++) {
    for (let c = 0; c < count; c++) {
      for (let b = 0; b < inner; b++, i++) variance[c]! += (values[i]! - mean[c]!) ** 2 / rows;
    }
  }
  return { mean, variance };
}
