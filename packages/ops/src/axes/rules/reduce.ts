import { type AxisRule, type AxisSite, intOf, intsOf } from '@espalier/core';
import { axisAt } from '../axis-at.js';

type Effect = 'exact' | 'statistics' | 'fixed';

function reducedAxes(site: AxisSite, rank: number): ReadonlySet<number> | undefined {
  const written = intsOf(site.node, 'axes', undefined);
  const given = written ?? (site.node.inputs[1] === undefined ? [] : site.numbers(1));
  if (!given) return undefined;
  if (given.length === 0) {
    return new Set(intOf(site.node, 'noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, i) => i));
  }
  return new Set(given.map((axis) => axisAt(axis, rank)));
}

/** The effect of removed zeros on the result: none (sums), another divisor (means), or any (extremes). */
const reduce = (effect: Effect): AxisRule => ({
  relate(site) {
    const [x, y] = [site.inputs[0], site.outputs[0]];
    const reduced = x && reducedAxes(site, x.shape.length);
    if (!x || !y || !reduced) return site.pinAll('its axes are not known');
    const keep = intOf(site.node, 'keepdims', 1) === 1;
    let to = 0;
    x.axes.forEach((axis, i) => {
      if (!reduced.has(i)) site.same(axis, y.axes[to++]!);
      else {
        if (keep) to++;
        if (effect === 'statistics') site.mark(axis, 'statistics');
        if (effect === 'fixed') site.pin(axis, 'a result over all of it would change');
      }
    });
  },
});

/** One axis that must stay whole; the others pass through to every output. */
const along = (reason: string, fallback: number): AxisRule => ({
  relate(site) {
    const x = site.inputs[0];
    if (!x) return site.pinAll('its shapes are not known');
    const axis = axisAt(intOf(site.node, 'axis', fallback), x.shape.length);
    for (const y of site.outputs) {
      if (!y) continue;
      const dropped = y.shape.length === x.shape.length - 1;
      x.axes.forEach((each, i) => {
        if (i === axis) {
          site.pin(each, reason);
          if (!dropped) site.pin(y.axes[i]!, reason);
        } else site.same(each, y.axes[dropped && i > axis ? i - 1 : i]!);
      });
    }
  },
});

/** Before opset 13 these flatten all axes from theirs on. */
const softmax: AxisRule = {
  relate(site) {
    const x = site.inputs[0];
    const y = site.outputs[0];
    if (!x || !y) return site.pinAll('its shapes are not known');
    const flat = site.opset < 13;
    const axis = axisAt(intOf(site.node, 'axis', flat ? 1 : -1), x.shape.length);
    x.axes.forEach((each, i) => {
      site.same(each, y.axes[i]!);
      if (flat ? i >= axis : i === axis) site.pin(each, 'it is normalised over all of it');
    });
  },
};

/** The sum over a window of neighbouring channels changes when one of them goes. */
const lrn: AxisRule = {
  relate(site) {
    const [x, y] = [site.inputs[0], site.outputs[0]];
    if (!x || !y) return site.pinAll('its shapes are not known');
    x.axes.forEach((axis, i) => {
      site.same(axis, y.axes[i]!);
    });
    site.mark(x.axes[1]!, 'statistics');
  },
};

const cumulative: AxisRule = {
  relate(site) {
    const [x, y] = [site.inputs[0], site.outputs[0]];
    const axis = site.numbers(1)?.[0];
    if (!x || !y || axis === undefined) return site.pinAll('its axis is not known');
    x.axes.forEach((each, i) => {
      site.same(each, y.axes[i]!);
    });
    if (site.node.op !== 'CumSum') site.pin(x.axes[axisAt(axis, x.shape.length)]!, 'it is accumulated along');
  },
};

const topK = along('its largest entries are picked', -1);

/** Ops that combine all entries of an axis. */
export const reduceRules = {
  ArgMax: along('the largest entry is picked', 0),
  ArgMin: along('the smallest entry is picked', 0),
  CumProd: cumulative,
  CumSum: cumulative,
  Hardmax: softmax,
  LRN: lrn,
  LogSoftmax: softmax,
  LpNormalization: along('it is normalised over all of it', -1),
  ReduceL1: reduce('exact'),
  ReduceL2: reduce('exact'),
  ReduceLogSum: reduce('exact'),
  ReduceLogSumExp: reduce('fixed'),
  ReduceMax: reduce('fixed'),
  ReduceMean: reduce('statistics'),
  ReduceMin: reduce('fixed'),
  ReduceProd: reduce('fixed'),
  ReduceSum: reduce('exact'),
  ReduceSumSquare: reduce('exact'),
  Softmax: softmax,
  TopK: topK,
} as const satisfies Record<string, AxisRule>;
