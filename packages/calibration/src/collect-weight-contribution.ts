import { type Collector, toFloats } from '@espalier/core';
import { checkedAxis } from './channels.js';
import { contributionRows } from './contribution-rows.js';
import { notFinite } from './errors.js';
import { onlyConstants } from './only-constants.js';

/**
 * For each index c of an axis of a constant W, Σ W ∂L/∂W over all elements at c, where L is the mean loss of a batch: a
 * row per batch. Multiplied and summed inside the graph.
 */
export const collectWeightContribution: Collector<'weightContribution'> = {
  values: onlyConstants,
  opset: 18,
  gradients: ({ value }) => [value],
  probe(need, statistics) {
    const { value } = need;
    const { shape } = statistics.model.constants.get(value)!; // as `values` saw to
    const axis = checkedAxis(need, undefined, shape.length);
    const { gradient } = statistics.gradient(value);
    const product = statistics.once(`contribution ${value}`, () => statistics.builder.add('Mul', [gradient, value]));
    const others = shape.flatMap((_, i) => (i === axis ? [] : [i]));
    const rows = contributionRows();
    return {
      fetch: [others.length === 0 ? product : statistics.reduce('ReduceSum', product, { axes: others })],
      add([found], samples) {
        const sums = toFloats(found!);
        if (!sums.every(Number.isFinite)) throw notFinite(statistics.model, value, 'a gradient of NaN or infinity');
        rows.add(sums, { count: 1, samples });
      },
      answer: rows.answer,
    };
  },
};
