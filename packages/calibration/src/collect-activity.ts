import { type Collector, int, type StatisticsGraph, toFloats, toNumbers } from '@espalier/core';
import { checkedAxis } from './channels.js';
import { axisChanged, notFinite } from './errors.js';

/**
 * Per index of an axis: the mean of |x|, the mean of x², or the share of elements that are exactly zero. Sums are float32
 * within a batch, float64 across batches.
 */
export const collectActivity: Collector<'activity'> = {
  values: ({ value }) => [value],
  probe(need, statistics) {
    const { value, measure } = need;
    const source = statistics.around(value, checkedAxis(need, statistics.model));
    const size = statistics.once(`size ${value}`, () => statistics.builder.add('Size', [source]));
    let sums: Float64Array | undefined;
    let count = 0;
    return {
      fetch: [sumInGraph(statistics, source, measure), size],
      add([found, elements]) {
        const own = toFloats(found!);
        sums ??= new Float64Array(own.length);
        if (own.length !== sums.length) throw axisChanged(need, sums.length, own.length);
        for (let i = 0; i < own.length; i++) sums[i]! += own[i]!;
        if (!sums.every(Number.isFinite)) throw notFinite(statistics.model, value, 'NaN or infinity');
        count += toNumbers(elements!)[0]! / own.length;
      },
      answer: () => (sums ?? new Float64Array()).map((sum) => sum / (count || 1)),
    };
  },
};

function sumInGraph(statistics: StatisticsGraph, source: string, measure: 'mean' | 'square' | 'zeros') {
  const { builder, reduce } = statistics;
  const over = { axes: [0, 2] };
  if (measure === 'mean') return reduce('ReduceL1', source, over);
  if (measure === 'square') return reduce('ReduceSumSquare', source, over);
  const zero = statistics.scalar(0);
  const equal = builder.add('Equal', [source, zero]);
  return reduce('ReduceSum', builder.add('Cast', [equal], { attributes: { to: int(1) } }), over);
}
