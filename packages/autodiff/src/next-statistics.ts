import { floats, type Graph, type GraphBuilder, int, longs, tensorInfo, type ValueId } from '@espalier/core';
import type { BatchStatistics } from './training-form.js';

/** The running statistics after a step. */
export interface NextStatistics {
  readonly mean: ValueId;
  readonly variance: ValueId;
}

/**
 * Adds the update of the running statistics of a batch norm: r ← (1 - m) r + m s with momentum m, s being the batch's
 * mean and its unbiased variance, variance · M/(M - 1) for M elements per channel (1 is taken as 2). For m = 0.1,
 * r = 1 and s = 2 it is 1.1.
 */
export function nextStatistics(
  b: GraphBuilder,
  of: { readonly graph: Graph; readonly statistics: BatchStatistics; readonly momentum: number },
): NextStatistics {
  const { runningMean, runningVariance, mean, variance } = of.statistics;
  const number = (value: number) => b.constant('momentum', floats([value], []));
  const mix = (running: ValueId, batch: ValueId, factor: ValueId) =>
    b.add('Add', [b.add('Mul', [running, number(1 - of.momentum)]), b.add('Mul', [batch, factor])], {
      name: `${running}_next`,
    });
  return {
    mean: mix(runningMean, mean, number(of.momentum)),
    variance: mix(runningVariance, variance, unbiased(b, of)),
  };
}

/** m · M/(M - 1). */
function unbiased(
  b: GraphBuilder,
  {
    graph,
    statistics,
    momentum,
  }: { readonly graph: Graph; readonly statistics: BatchStatistics; readonly momentum: number },
): ValueId {
  const shape = tensorInfo(graph, statistics.input)?.shape ?? [];
  const others = shape.flatMap((dim, axis) => (axis === 1 ? [] : [dim]));
  const number = (value: number) => b.constant('momentum', floats([value], []));
  if (others.every((dim) => typeof dim === 'number')) {
    const count = Math.max(
      2,
      others.reduce((product, dim) => product * dim, 1),
    );
    return number((momentum * count) / (count - 1));
  }
  const axes = b.constant('axes', longs(shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]))));
  const sizes = b.add('Gather', [b.add('Shape', [statistics.input]), axes], { attributes: { axis: int(0) } });
  const product = b.add('ReduceProd', [sizes], { attributes: { keepdims: int(0) } });
  const count = b.add('Max', [b.add('Cast', [product], { attributes: { to: int(1) } }), number(2)]);
  return b.add('Div', [b.add('Mul', [count, number(momentum)]), b.add('Sub', [count, number(1)])]);
}
