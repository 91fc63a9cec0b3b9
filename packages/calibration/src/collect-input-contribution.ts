import { type Collector, type Dim, indexOf, int, type StatisticsGraph, tensorInfo, toFloats } from '@espalier/core';
import { checkedAxis } from './channels.js';
import { contributionRows } from './contribution-rows.js';
import { impossibleNeed, notFinite } from './errors.js';

/**
 * For each index c of an axis of what a node reads, Σ x ∂L/∂x over all elements at c, with the gradient through this
 * read alone: a row per sample, of its own loss. With a gate of 1 that multiplies index c there, this is the gradient to
 * the gate (Molchanov et al. 2019, arXiv 1906.10771, equation 10). Multiplied and summed inside the graph.
 *
 * Samples lie along the first axis, alone or as its outer factor (windows of images). Where the first axis has nothing
 * to do with them, a row stands for a batch.
 */
export const collectInputContribution: Collector<'inputContribution'> = {
  values: (need, graph) => {
    const value = indexOf(graph).node.get(need.node)?.inputs[need.slot];
    if (value !== undefined) return [value];
    throw impossibleNeed(need, {
      expected: 'an input of a node',
      found: indexOf(graph).node.has(need.node) ? `no input ${need.slot}` : 'no such node',
    });
  },
  opset: 18,
  gradients: ({ node, slot }) => [{ node, slot }],
  probe(need, statistics) {
    const { model, builder, once, reduce } = statistics;
    const { gradient, read } = statistics.gradient(need);
    const shape = tensorInfo(model, read)?.shape;
    const axis = checkedAxis(need, undefined, shape?.length);
    const size = shape?.[axis];
    if (axis === 0 || typeof size !== 'number') {
      throw impossibleNeed(need, {
        expected: 'an axis of known size behind the first',
        found: axis === 0 ? 'the first axis' : `axis ${axis} of unknown size`,
      });
    }
    const product = once(`contribution ${read}`, () => builder.add('Mul', [read, gradient]));
    const sums = reduce('ReduceSum', statistics.around(product, axis), { axes: [2] }); // [first axes, size]
    const perSample = isPerSample(statistics, shape?.[0]);
    const rest = statistics.longs([-1, size]);
    const lead = perSample ? samplesOf(statistics) : statistics.longs([1]);
    const target = builder.add('Concat', [lead, rest], { attributes: { axis: int(0) } });
    const fetched = reduce('ReduceSum', builder.add('Reshape', [sums, target]), { axes: [1] });
    const rows = contributionRows();
    return {
      fetch: [fetched],
      add([found], samples) {
        const own = toFloats(found!).slice();
        if (!own.every(Number.isFinite)) throw notFinite(model, read, 'a gradient of NaN or infinity');
        // The loss of a batch is the mean of those of its samples.
        if (perSample) for (let i = 0; i < own.length; i++) own[i]! *= samples;
        rows.add(own, perSample ? { count: samples, samples: 1 } : { count: 1, samples });
      },
      answer: rows.answer,
    };
  },
};

const leadingInput = ({ model }: StatisticsGraph) =>
  model.inputs.find((input) => (tensorInfo(model, input)?.shape?.length ?? 0) > 0);

/** An int64[1] value: the number of samples in the batch. */
function samplesOf(statistics: StatisticsGraph) {
  const { builder, longs, once } = statistics;
  return once('samples', () =>
    builder.add('Slice', [
      builder.add('Shape', [leadingInput(statistics)!]), // it was found before
      longs([0]),
      longs([1]),
    ]),
  );
}

function isPerSample(statistics: StatisticsGraph, first: Dim | undefined): boolean {
  const input = leadingInput(statistics);
  const batch = input === undefined ? undefined : tensorInfo(statistics.model, input)?.shape?.[0];
  if (batch === undefined || first === undefined) return false;
  if (typeof first === 'number') return typeof batch === 'number' && first % batch === 0;
  return first
    .split('*')
    .map((factor) => factor.trim())
    .includes(String(batch));
}
